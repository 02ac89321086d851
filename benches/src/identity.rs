//! Whether a candidate does the same work as ours: by its packets, octet for octet.

use skywave_srtp::Profile;

use crate::{Frame, Listener, Session, Skywave, buffer};

/// Compares packets of several listeners, lengths and sequence numbers, across a rollover.
///
/// # Panics
/// If a packet differs.
pub fn assert_identical_packets<S: Session>(profile: Profile) {
    let (mut our_buffer, mut their_buffer) = (buffer(), buffer());
    for number in 0..40 {
        let listener = Listener::new(profile, number);
        let mut ours = Skywave::new(&listener);
        let mut theirs = S::new(&listener);
        // The last of them counts past 2^16 packets; each before it sends a few.
        let packets = if number == 39 { 70_000 } else { 6 };
        for packet in 0..packets {
            let frame = Frame::new(PAYLOAD_OCTETS[packet as usize % 3], packet * 160);
            let ours = ours.send(&frame, &mut our_buffer);
            let theirs = theirs.send(&frame, &mut their_buffer);
            assert!(
                ours.as_ref() == theirs.as_ref(),
                "{} differs with {}, listener {number}, packet {packet}:\nours   {:02x?}\ntheirs {:02x?}",
                S::NAME,
                profile.name(),
                ours.as_ref(),
                theirs.as_ref(),
            );
        }
    }
}

const PAYLOAD_OCTETS: [usize; 3] = [80, 160, 320];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PlainCopy;

    #[test]
    #[should_panic(expected = "plain_copy differs with AEAD_AES_128_GCM")]
    fn a_copy_is_no_srtp() {
        assert_identical_packets::<PlainCopy>(Profile::AeadAes128Gcm);
    }
}
