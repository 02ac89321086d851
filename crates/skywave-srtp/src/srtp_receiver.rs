//! Unprotects SRTP packets: RFC 3711 §3.3, RFC 7714 §8.

use std::fmt;

use crate::aes_gcm::NonceSalt;
use crate::cipher::Cipher;
use crate::encrypted_portion::EncryptedPortion;
use crate::header_protection::HeaderProtection;
use crate::key_derivation::SessionKeys;
use crate::packet_index::{self, PACKET_INDICES};
use crate::replay_list::ReplayList;
use crate::rtp_header::RtpHeader;
use crate::{DropReason, HeaderEncryption, MasterKey};

/// Unprotects the SRTP packets of one direction, of up to 32 SSRCs.
///
/// The rollover counter of each SSRC starts with 0 at its first genuine packet.
pub struct SrtpReceiver {
    cipher: Cipher,
    salt: NonceSalt,
    header: Option<Box<HeaderProtection>>,
    replay_list: ReplayList,
}

impl SrtpReceiver {
    /// Derives the session keys of SRTP; headers are not encrypted.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self::with_header_encryption(master, HeaderEncryption::None)
    }

    /// Derives the session keys of SRTP, where the peer may encrypt headers as well.
    #[must_use]
    pub fn with_header_encryption(master: &MasterKey, encryption: HeaderEncryption) -> Self {
        let keys = SessionKeys::srtp(master);
        Self {
            cipher: Cipher::new(master.profile(), &keys),
            salt: keys.nonce_salt(),
            header: HeaderProtection::new(master, encryption),
            replay_list: ReplayList::default(),
        }
    }

    /// Makes RTP of SRTP in place; `packet[..n]` is the RTP packet, where `n` is returned.
    ///
    /// # Errors
    /// The reason to drop the packet, whose bytes may then be lost.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, DropReason> {
        let header = RtpHeader::parse(packet)?;
        let overhead = self.cipher.rtp_overhead();
        if packet.len() < header.len + overhead {
            return Err(DropReason::TooShort);
        }
        let index = match self.replay_list.highest(header.ssrc) {
            None => u64::from(header.sequence_number),
            Some(highest) => packet_index::estimate(highest, header.sequence_number)
                .filter(|index| *index < PACKET_INDICES)
                .ok_or(DropReason::TooOld)?,
        };
        self.replay_list.check(header.ssrc, index)?;
        let portion = match &self.header {
            Some(protection) => protection.portion(&header),
            None => EncryptedPortion::payload(header.len),
        };
        self.cipher
            .open_rtp(&self.salt, packet, portion, header.ssrc, index)?;
        if let Some(protection) = &self.header {
            protection.open(packet, &header, index);
        }
        self.replay_list.insert(header.ssrc, index);
        Ok(packet.len() - overhead)
    }
}

impl fmt::Debug for SrtpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpReceiver").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PROFILES, master, rtp};
    use crate::{Profile, SrtpSender};

    #[test]
    fn rfc3711_3_3_1_packets_reordered_around_the_wrap_are_taken() {
        for &profile in PROFILES {
            let mut sender = SrtpSender::new(&master(profile));
            let mut receiver = SrtpReceiver::new(&master(profile));
            let mut packets: Vec<Vec<u8>> = [65_534, 65_535, 0, 1]
                .into_iter()
                .map(|sequence_number| {
                    let mut packet = rtp(7, sequence_number, b"x");
                    packet.resize(13 + profile.rtp_overhead(), 0);
                    sender.protect(&mut packet, 12, 13).unwrap();
                    packet
                })
                .collect();
            for i in [0, 2, 1, 3] {
                assert_eq!(
                    receiver.unprotect(&mut packets[i]),
                    Ok(13),
                    "{profile:?} {i}"
                );
            }
        }
    }

    /// SRTP packets of one sender, of these sequence numbers.
    fn sealed(profile: Profile, sequence_numbers: &[u16]) -> Vec<Vec<u8>> {
        let mut sender = SrtpSender::new(&master(profile));
        let seal = |sequence_number: &u16| {
            let mut packet = rtp(7, *sequence_number, b"x");
            packet.resize(13 + profile.rtp_overhead(), 0);
            sender.protect(&mut packet, 12, 13).unwrap();
            packet
        };
        sequence_numbers.iter().map(seal).collect()
    }

    #[test]
    fn rfc3711_3_3_1_start_below_half_the_range_survives_the_loss_of_the_first_packets() {
        for &profile in PROFILES {
            let packets = sealed(profile, &[0x7fff, 0xffff, 0x0001]);
            let mut receiver = SrtpReceiver::new(&master(profile));
            // Only the packet behind the wrap needs one before it, to count the rollover.
            for mut packet in packets.into_iter().skip(1) {
                assert_eq!(receiver.unprotect(&mut packet), Ok(13), "{profile:?}");
            }
        }
    }

    #[test]
    fn rfc3711_3_3_1_forged_packets_do_not_move_the_index() {
        for &profile in PROFILES {
            let mut packets = sealed(profile, &[100, 101]);
            let mut receiver = SrtpReceiver::new(&master(profile));
            assert_eq!(receiver.unprotect(&mut packets[0]), Ok(13));
            for sequence_number in [30_000_u16, 60_000, 90] {
                let mut forged = packets[1].clone();
                forged[2..4].copy_from_slice(&sequence_number.to_be_bytes());
                receiver.unprotect(&mut forged).unwrap_err();
            }
            assert_eq!(receiver.unprotect(&mut packets[1]), Ok(13), "{profile:?}");
        }
    }
}
