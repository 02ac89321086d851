//! SRTP and SRTCP of a stranger (RFC 3711, RFC 7714, RFC 6904, RFC 9335): forged packets, and genuine ones that were
//! damaged or repeated on their way.

use skywave_srtp::{
    DropReason, ExtensionIds, HeaderEncryption, MAX_RTCP_OVERHEAD, MasterKey, Profile,
    SrtcpReceiver, SrtcpSender, SrtpReceiver, SrtpSender,
};

/// Unprotects what `data` says; true if a packet came through.
///
/// The first octet chooses the profile, SRTP or SRTCP, what of the header is encrypted, and one of
/// two games. Forged: the rest is
/// the packet. Damaged: two octets give a place and one a damage, the rest is a packet that our
/// sender protects; it arrives damaged, then whole, then whole again.
///
/// # Panics
/// If a packet comes through that the sender did not make, if a genuine one does not come through
/// as it was, or comes through twice.
pub fn srtp_unprotect(data: &[u8]) -> bool {
    let Some((choice, rest)) = data.split_first() else {
        return false;
    };
    let profile = PROFILES[usize::from(choice & 0x03)];
    let encryption = match choice & 0x30 {
        0x10 => HeaderEncryption::Cryptex,
        0x20 => HeaderEncryption::Elements(ids()),
        _ => HeaderEncryption::None,
    };
    // Cryptex takes packets without it as well (RFC 9335 §5.2); with a key of its own none is genuine.
    let master = master(profile, choice & 0x30);
    let mut ends = if choice & 0x04 == 0 {
        Ends::srtp(&master, encryption)
    } else {
        Ends::srtcp(&master)
    };
    if choice & 0x08 == 0 {
        forged(&mut ends, rest)
    } else {
        damaged(&mut ends, rest)
    }
}

fn forged(ends: &mut Ends, packet: &[u8]) -> bool {
    let mut opened = packet.to_vec();
    let Ok(len) = ends.unprotect(&mut opened) else {
        return false;
    };
    // Nobody guesses a tag: it is a seed that our sender made as its first packet.
    opened.truncate(len);
    let again = ends.protect(&opened).expect("it was protected before");
    assert_eq!(again, packet, "an unknown packet came through");
    true
}

fn damaged(ends: &mut Ends, data: &[u8]) -> bool {
    let Some(([high, low, damage], plain)) = data.split_first_chunk() else {
        return false;
    };
    let Some(sealed) = ends.protect(plain) else {
        return false;
    };
    let added = ends.added_extension(plain);
    assert_eq!(sealed.len(), plain.len() + added.len() + ends.overhead());
    let place = usize::from(u16::from_be_bytes([*high, *low]));
    let mut broken = sealed.clone();
    match broken.get_mut(place) {
        Some(octet) => *octet ^= (*damage).max(1),
        // Behind the end: longer or shorter.
        None if *damage < 0x80 => broken.push(*damage),
        None => broken.truncate(place % broken.len()),
    }
    assert!(ends.unprotect(&mut broken).is_err(), "damage is not seen");
    let mut whole = sealed.clone();
    let len = ends.unprotect(&mut whole);
    let expected = with_extension(plain, added);
    assert_eq!(len, Ok(expected.len()), "the genuine packet is lost");
    assert_eq!(whole[..expected.len()], expected);
    let mut repeated = sealed;
    assert_eq!(ends.unprotect(&mut repeated), Err(DropReason::Replayed));
    true
}

/// Sender and receiver of one direction, with a fixed key.
enum Ends {
    Srtp(
        Profile,
        HeaderEncryption,
        Box<SrtpSender>,
        Box<SrtpReceiver>,
    ),
    Srtcp(Profile, SrtcpSender, SrtcpReceiver),
}

impl Ends {
    fn srtp(master: &MasterKey, encryption: HeaderEncryption) -> Self {
        Self::Srtp(
            master.profile(),
            encryption,
            Box::new(SrtpSender::with_header_encryption(master, encryption)),
            Box::new(SrtpReceiver::with_header_encryption(master, encryption)),
        )
    }

    fn srtcp(master: &MasterKey) -> Self {
        Self::Srtcp(
            master.profile(),
            SrtcpSender::new(master),
            SrtcpReceiver::new(master),
        )
    }

    /// None if the bytes are no packet that the sender takes.
    fn protect(&mut self, plain: &[u8]) -> Option<Vec<u8>> {
        if plain.first()? >> 6 != 2 {
            return None;
        }
        let mut packet = plain.to_vec();
        packet.resize(plain.len() + MAX_RTCP_OVERHEAD, 0);
        let len = match self {
            Self::Srtp(_, _, sender, _) => {
                let header_len = rtp_header_len(plain)?;
                sender.protect(&mut packet, header_len, plain.len()).ok()?
            }
            Self::Srtcp(_, sender, _) => sender.protect(&mut packet, plain.len()).ok()?,
        };
        packet.truncate(len);
        Some(packet)
    }

    fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, DropReason> {
        match self {
            Self::Srtp(_, _, _, receiver) => receiver.unprotect(packet),
            Self::Srtcp(_, _, receiver) => receiver.unprotect(packet),
        }
    }

    /// Cryptex gives an empty extension to a packet with contributing sources (RFC 9335 §5.1).
    fn added_extension(&self, plain: &[u8]) -> &'static [u8] {
        match self {
            Self::Srtp(_, HeaderEncryption::Cryptex, ..)
                if plain[0] & 0x10 == 0 && plain[0] & 0x0f != 0 =>
            {
                &[0xbe, 0xde, 0, 0]
            }
            _ => &[],
        }
    }

    fn overhead(&self) -> usize {
        match self {
            Self::Srtp(profile, ..) => profile.rtp_overhead(),
            Self::Srtcp(profile, ..) => profile.rtcp_overhead(),
        }
    }
}

/// The packet with `extension` behind its contributing sources, if there is one.
fn with_extension(packet: &[u8], extension: &[u8]) -> Vec<u8> {
    if extension.is_empty() {
        return packet.to_vec();
    }
    let (header, payload) = packet.split_at(12 + 4 * usize::from(packet[0] & 0x0f));
    let mut packet = [header, extension, payload].concat();
    packet[0] |= 0x10;
    packet
}

/// Fixed header, contributing sources and extension, if the packet has them all.
fn rtp_header_len(packet: &[u8]) -> Option<usize> {
    let mut len = 12 + 4 * usize::from(packet.first()? & 0x0f);
    if packet[0] & 0x10 != 0 {
        let words = packet.get(len + 2..len + 4)?;
        len += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (len <= packet.len()).then_some(len)
}

fn master(profile: Profile, first: u8) -> MasterKey {
    let bytes: [u8; 46] = std::array::from_fn(|index| first + index as u8);
    let (key, salt) = bytes.split_at(profile.key_len());
    MasterKey::new(profile, key, &salt[..profile.salt_len()])
        .expect("the lengths are the profile's")
}

/// Of every other element.
fn ids() -> ExtensionIds {
    let ids: Vec<u8> = (1..=255).step_by(2).collect();
    ExtensionIds::new(&ids).expect("none is 0")
}

const PROFILES: [Profile; 4] = [
    Profile::Aes128CmHmacSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
    Profile::Aes128CmHmacSha1_32,
];
