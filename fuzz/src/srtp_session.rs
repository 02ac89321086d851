//! An SRTP stream over a network that repeats and reorders (RFC 3711 §3.3.1, §3.3.2): the
//! receiver's rollover counter and replay list against a list of all that arrived.

use std::collections::HashSet;

use skywave_srtp::{DropReason, MAX_RTP_OVERHEAD, MasterKey, Profile, SrtpReceiver, SrtpSender};

/// Plays the session in `data`; true if a packet came through.
///
/// Two octets are the first sequence number. Each further one sends a packet, its lower five bits
/// the step to its number, or a wide step; or it lets an earlier packet arrive once more.
///
/// # Panics
/// If a packet comes through twice or altered, or if one is refused that is neither a repetition,
/// nor older than the replay list, nor from further off than a receiver can follow.
pub fn srtp_session(data: &[u8]) -> bool {
    let Some((first, steps)) = data.split_first_chunk() else {
        return false;
    };
    let mut session = Session::new(u16::from_be_bytes(*first));
    for step in steps.iter().take(MAX_STEPS) {
        match step >> 5 {
            // In order, or with packets lost before it.
            0..=2 => session.send(u64::from(step & 0x1f) + 1, true),
            // As far as RFC 3711 §3.3.1 lets a receiver follow.
            3 => session.send(u64::from(step & 0x1f) * 1023 + 1, true),
            // Sent, late on its way.
            4 => session.send(u64::from(step & 0x1f) + 1, false),
            5 | 6 => session.arrive(usize::from(step & 0x1f)),
            // About as old as the replay list.
            _ => session.arrive(32 + 2 * usize::from(step & 0x1f)),
        }
    }
    !session.taken.is_empty()
}

struct Session {
    sender: SrtpSender,
    receiver: SrtpReceiver,
    /// Index of the last packet sent.
    index: u64,
    sent: Vec<(u64, Vec<u8>)>,
    /// Indices that came through.
    taken: HashSet<u64>,
    highest: Option<u64>,
}

impl Session {
    fn new(first: u16) -> Self {
        let master = MasterKey::new(PROFILE, &[7; 16], &[9; 12]);
        let master = master.expect("the lengths are the profile's");
        let mut session = Self {
            sender: SrtpSender::new(&master),
            receiver: SrtpReceiver::new(&master),
            index: u64::from(first),
            sent: Vec::new(),
            taken: HashSet::new(),
            highest: None,
        };
        session.send(0, true);
        session
    }

    fn send(&mut self, step: u64, arrives: bool) {
        self.index += step;
        let mut packet = plain(self.index);
        let len = packet.len();
        packet.resize(len + MAX_RTP_OVERHEAD, 0);
        let len = self.sender.protect(&mut packet, 12, len);
        packet.truncate(len.expect("steps are below 2^15"));
        self.sent.push((self.index, packet));
        if arrives {
            self.arrive(0);
        }
    }

    /// The packet sent `back` packets ago arrives.
    fn arrive(&mut self, back: usize) {
        let Some(place) = self.sent.len().checked_sub(back + 1) else {
            return;
        };
        let (index, sealed) = &self.sent[place];
        let mut packet = sealed.clone();
        let result = self.receiver.unprotect(&mut packet);
        let highest = self.highest.unwrap_or(*index);
        // From further off the rollover counter cannot be guessed (RFC 3711 §3.3.1).
        let is_near = highest.abs_diff(*index) < 1 << 15;
        match result {
            Ok(len) => {
                assert_eq!(packet[..len], plain(*index));
                assert!(self.taken.insert(*index), "{index} came through twice");
                self.highest = Some(highest.max(*index));
            }
            Err(DropReason::Replayed) if is_near => assert!(self.taken.contains(index)),
            Err(DropReason::TooOld) if is_near => assert!(index + WINDOW <= highest),
            Err(reason) => assert!(!is_near, "{reason:?}: {index} after {highest}"),
        }
    }
}

/// The RTP packet of this index, which is in its payload, too.
fn plain(index: u64) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend((index as u16).to_be_bytes());
    packet.extend([0, 0, 3, 192, 0, 0, 0, 7]);
    packet.extend(index.to_be_bytes());
    packet
}

const PROFILE: Profile = Profile::AeadAes128Gcm;
/// Bounds the length of one session.
const MAX_STEPS: usize = 512;
/// RFC 3711 §3.3.2: a replay list covers 64 packets at least.
const WINDOW: u64 = 64;
