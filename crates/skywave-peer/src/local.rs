//! What one end of a peer connection draws at random once and says about itself.

use std::fmt::Write as _;
use std::net::SocketAddr;

use skywave_dtls::{Fingerprint, Identity};
use skywave_ice::{Credentials, host_foundation, host_priority};
use skywave_sdp::{Candidate, IceCredentials, LocalDescription};

/// Names, credentials and starting points of one peer connection.
///
/// All of it is unpredictable and new for each connection: credentials by RFC 8445 §5.3, the CNAME
/// by RFC 7022, SSRC, sequence number and timestamp by RFC 3550 §5.1.
#[derive(Clone)]
pub struct LocalParameters {
    /// ICE user name fragment and password.
    pub credentials: Credentials,
    /// What the transaction ids of our own connectivity checks are made of. Nobody is told.
    pub ice_secret: [u8; 16],
    /// The SSRC of the audio stream.
    pub ssrc: u32,
    /// The SSRC of retransmissions.
    pub rtx_ssrc: u32,
    /// The CNAME of this connection's RTCP.
    pub cname: String,
    /// The session id of the description's `o=` line.
    pub session_id: u64,
    /// The id of the audio track in `a=msid`.
    pub track_id: String,
    /// Below 2^15, so that a loss of the first packets cannot be taken for a wrap
    /// (RFC 3711 §3.3.1).
    pub first_sequence_number: u16,
    /// The same of retransmissions.
    pub first_rtx_sequence_number: u16,
    /// Added to the media time.
    pub timestamp_offset: u32,
    /// Seeds the jitter of RTCP intervals.
    pub seed: u64,
}

impl LocalParameters {
    /// Bytes that [`Self::from_random`] takes.
    pub const RANDOM_BYTES: usize = 24 + 4 + 4 + 12 + 8 + 8 + 2 + 2 + 4 + 8 + 16;

    /// Takes everything from random bytes, which must come from a cryptographic generator.
    pub fn from_random(random: [u8; Self::RANDOM_BYTES]) -> Self {
        let mut random = Random(&random);
        let credentials = Credentials::from_random(random.take());
        let ssrc = u32::from_be_bytes(random.take());
        let rtx_ssrc = u32::from_be_bytes(random.take());
        Self {
            credentials,
            ssrc,
            // One in 2^32 pairs is no pair.
            rtx_ssrc: if rtx_ssrc == ssrc {
                !rtx_ssrc
            } else {
                rtx_ssrc
            },
            cname: hex(&random.take::<12>()),
            // RFC 9429 §5.2.1: the two highest bits cleared... the top one is enough for
            // parsers that read a signed number, two are what the RFC recommends.
            session_id: u64::from_be_bytes(random.take()) >> 2,
            track_id: hex(&random.take::<8>()),
            first_sequence_number: u16::from_be_bytes(random.take()) >> 1,
            first_rtx_sequence_number: u16::from_be_bytes(random.take()) >> 1,
            timestamp_offset: u32::from_be_bytes(random.take()),
            seed: u64::from_be_bytes(random.take()),
            ice_secret: random.take(),
        }
    }

    /// What an offer or answer says about this end.
    pub fn description(&self, identity: &Identity, addresses: &[SocketAddr]) -> LocalDescription {
        LocalDescription {
            session_id: self.session_id,
            session_version: 0,
            ice: sdp_credentials(&self.credentials),
            fingerprint: sdp_fingerprint(&identity.fingerprint()),
            candidates: host_candidates(addresses),
            ssrc: self.ssrc,
            rtx_ssrc: Some(self.rtx_ssrc),
            cname: self.cname.clone(),
            stream_id: STREAM_ID.to_owned(),
            track_id: self.track_id.clone(),
        }
    }
}

/// What a fragment says about this end after an ICE restart; see [`skywave_sdp::ice_fragment`].
pub fn restart_fragment(head: &str, new: &Credentials, addresses: &[SocketAddr]) -> String {
    skywave_sdp::ice_fragment(head, &sdp_credentials(new), &host_candidates(addresses))
}

fn sdp_credentials(credentials: &Credentials) -> IceCredentials {
    IceCredentials {
        ufrag: credentials.ufrag().to_owned(),
        pwd: credentials.pwd().to_owned(),
    }
}

/// One host candidate an address, the first preferred (RFC 8445 §5.1.2.1: preferences differ).
fn host_candidates(addresses: &[SocketAddr]) -> Vec<Candidate> {
    addresses
        .iter()
        .enumerate()
        .map(|(index, &address)| Candidate {
            foundation: host_foundation(u8::try_from(index).unwrap_or(u8::MAX)),
            component: 1,
            priority: host_priority(
                u16::MAX.saturating_sub(u16::try_from(index).unwrap_or(u16::MAX)),
            ),
            address,
        })
        .collect()
}

fn sdp_fingerprint(fingerprint: &Fingerprint) -> skywave_sdp::Fingerprint {
    skywave_sdp::Fingerprint {
        algorithm: fingerprint.algorithm.name().to_owned(),
        value: fingerprint.value.clone(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Hands out random bytes piece by piece.
struct Random<'a>(&'a [u8]);

impl Random<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (piece, rest) = self
            .0
            .split_first_chunk()
            .expect("RANDOM_BYTES is the sum of all pieces taken");
        self.0 = rest;
        *piece
    }
}

/// All tracks of one sender belong to one MediaStream.
const STREAM_ID: &str = "skywave";

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: usize = LocalParameters::RANDOM_BYTES;

    /// What has to be unpredictable, in the order in which it is drawn.
    fn drawn(random: [u8; LEN]) -> [String; 11] {
        let local = LocalParameters::from_random(random);
        [
            local.credentials.ufrag().to_owned() + local.credentials.pwd(),
            local.ssrc.to_string(),
            local.rtx_ssrc.to_string(),
            local.cname,
            local.session_id.to_string(),
            local.track_id,
            local.first_sequence_number.to_string(),
            local.first_rtx_sequence_number.to_string(),
            local.timestamp_offset.to_string(),
            local.seed.to_string(),
            hex(&local.ice_secret),
        ]
    }

    #[test]
    fn rfc7022_4_2_cname_is_made_of_96_random_bits_and_tells_nothing_else() {
        let mut names = Vec::new();
        for bit in 0..8 * LEN {
            let mut random = [0; LEN];
            random[bit / 8] |= 1 << (bit % 8);
            names.push(LocalParameters::from_random(random).cname);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 96 + 1, "one for each of its bits, one without");
    }

    #[test]
    fn rfc3550_5_1_and_rfc7022_4_2_every_octet_drawn_changes_one_thing_and_nothing_is_fixed() {
        let before = drawn([0; LEN]);
        let mut changed = [0; 11];
        for place in 0..LEN {
            let mut random = [0; LEN];
            random[place] = 0xff;
            let after = drawn(random);
            let differ: Vec<_> = (0..11).filter(|&n| before[n] != after[n]).collect();
            match differ[..] {
                [one] => changed[one] += 1,
                // The stream and its retransmissions never have the same name.
                [1, 2] => changed[1] += 1,
                _ => panic!("octet {place} changes {differ:?}"),
            }
        }
        assert_eq!(changed, [24, 4, 4, 12, 8, 8, 2, 2, 4, 8, 16]);
    }

    #[test]
    fn rfc3711_3_3_1_first_sequence_numbers_lie_in_the_lower_half() {
        let local = LocalParameters::from_random([0xff; LEN]);
        assert_eq!(local.first_sequence_number, 0x7fff);
        assert_eq!(local.first_rtx_sequence_number, 0x7fff);
    }

    #[test]
    fn rfc4588_4_stream_and_retransmissions_never_share_an_ssrc() {
        for octet in [0, 7, 0xff] {
            let local = LocalParameters::from_random([octet; LEN]);
            assert_ne!(local.ssrc, local.rtx_ssrc);
        }
    }

    #[test]
    fn rfc8834_4_9_description_and_reports_have_the_same_cname() {
        let local = LocalParameters::from_random([5; LEN]);
        let identity = Identity::generate(std::time::SystemTime::now()).unwrap();
        assert_eq!(local.description(&identity, &[]).cname, local.cname);
    }
}
