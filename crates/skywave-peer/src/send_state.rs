//! What sending one packet to one peer needs, and nothing else: these lie side by side in a slab.

use std::sync::Arc;
use std::time::{Duration, Instant};

use skywave_ice::Path;
use skywave_rtp::{Counters, Departure, History, NtpTime, Packetizer, Packing};
use skywave_srtp::{MAX_RTP_OVERHEAD, SrtpSender};

use crate::demands::Source;
use crate::event::Io;
use crate::outbox::Outbox;
use crate::send_options::SendOptions;

/// The hot state of one peer.
// In as few cache lines as its size takes.
#[repr(align(64))]
pub(crate) struct SendState {
    srtp: SrtpSender,
    packetizer: Packetizer,
    /// What only some peers use. A plain packet does not look at it.
    options: Box<SendOptions>,
    /// Packets need nothing of the options.
    plain: bool,
}

// What a packet touches of a listener, beside its counters and its address.
const _: () = assert!(size_of::<SendState>() <= 640);

/// The moment a packet leaves.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) ntp: NtpTime,
}

impl Moment {
    pub(crate) fn of(io: &Io<'_>) -> Self {
        Self {
            now: io.now,
            ntp: io.ntp,
        }
    }
}

impl SendState {
    pub(crate) fn new(packetizer: Packetizer, srtp: SrtpSender, options: SendOptions) -> Self {
        Self {
            srtp,
            packetizer,
            plain: options.are_idle(),
            options: Box::new(options),
        }
    }

    /// Where its packets are counted.
    pub(crate) fn counters(&self) -> &Arc<Counters> {
        self.packetizer.counters()
    }

    /// The wire timestamp of a media time.
    pub(crate) fn timestamp(&self, media: u32) -> u32 {
        self.packetizer.timestamp(media)
    }

    /// Changes the options.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut SendOptions)) {
        change(&mut self.options);
        self.plain = self.options.are_idle();
    }

    /// Goes on as another source (RFC 3550 §8.2).
    pub(crate) fn change_source(&mut self, source: Source) {
        self.packetizer
            .change_source(source.ssrc, source.first_sequence_number);
        self.configure(SendOptions::change_source);
    }

    /// Writes and protects one packet in place. False if it could not be sent: the outbox is full,
    /// the frame too long, or the key used up.
    pub(crate) fn send(
        &mut self,
        history: &History,
        number: u32,
        moment: Moment,
        path: Path,
        outbox: &mut Outbox,
    ) -> bool {
        let Some(slot) = outbox.slot() else {
            return false;
        };
        let protected = if self.plain {
            let departure = Departure {
                time: moment.ntp,
                transport_number: 0,
            };
            // A packet without room for its tag must not spend a sequence number.
            let (room, _) = slot.split_at_mut(Outbox::DATAGRAM - MAX_RTP_OVERHEAD);
            self.packetizer
                .write(history, number, Packing::Plain, departure, room)
                .ok()
                .and_then(|written| {
                    self.srtp
                        .protect(slot, written.header_len, written.len)
                        .ok()
                })
        } else {
            self.send_with_options(history, number, moment, slot)
        };
        let Some(len) = protected else {
            return false;
        };
        outbox.commit(len, path);
        true
    }

    fn send_with_options(
        &mut self,
        history: &History,
        number: u32,
        moment: Moment,
        slot: &mut [u8],
    ) -> Option<usize> {
        let frame = history.frame(number)?;
        let written =
            self.options
                .write(&mut self.packetizer, history, (number, frame), moment, slot)?;
        let len = self
            .options
            .protect(&mut self.srtp, slot, written.header_len, written.len)?;
        self.options.record(&written);
        self.plain = self.options.are_idle();
        Some(len)
    }

    /// Sends a packet once more that the peer misses. False if it is not: unknown, too often asked
    /// for, or the outbox is full.
    pub(crate) fn retransmit(
        &mut self,
        history: &History,
        lost: u16,
        moment: Moment,
        path: Path,
        outbox: &mut Outbox,
    ) -> bool {
        let round_trip_time: Option<Duration> = self.packetizer.counters().round_trip_time();
        let Some(slot) = outbox.slot() else {
            return false;
        };
        let Some(packet) = self.options.grant(lost, moment, round_trip_time) else {
            return false;
        };
        let retransmitted = self.options.retransmit(
            &self.packetizer,
            &mut self.srtp,
            history,
            &packet,
            moment,
            slot,
        );
        let Some(len) = retransmitted else {
            return false;
        };
        outbox.commit(len, path);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use skywave_rtp::{
        ExtensionIds, OwnedFrame, PacketizerConfig, RtpPacket, RtxConfig, RtxPacketizer,
    };
    use skywave_srtp::{HeaderEncryption, MasterKey, Profile, SrtpReceiver};

    use super::*;
    use crate::rtp_terms::RtpTerms;

    const NOBODY: Path = Path {
        base: 0,
        remote: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9),
    };

    fn master(profile: Profile) -> MasterKey {
        let (key, salt) = (vec![7; profile.key_len()], vec![9; profile.salt_len()]);
        MasterKey::new(profile, &key, &salt).unwrap()
    }

    /// A listener with retransmission, and so many frames repeated in each packet.
    fn state(
        profile: Profile,
        encryption: HeaderEncryption,
        extensions: ExtensionIds,
        redundancy: u8,
    ) -> SendState {
        let terms = RtpTerms {
            payload_type: 111,
            extensions,
            header_encryption: encryption,
            nack: true,
            rtx: Some(112),
            red: Some(63),
            telephone_event: None,
            comfort_noise: None,
            tmmbr: false,
            rcvr_rtt: false,
            rtcp_rsize: false,
            max_bitrate: None,
        };
        let config = PacketizerConfig {
            ssrc: 1,
            payload_type: 111,
            comfort_noise: None,
            first_sequence_number: 100,
            timestamp_offset: 0,
            extensions,
        };
        let rtx = RtxConfig {
            ssrc: 2,
            payload_type: 112,
            first_sequence_number: 200,
            extensions,
        };
        let rtx = RtxPacketizer::new(rtx, Arc::default()).unwrap();
        let mut options = SendOptions::new(&terms, 48_000, Some(rtx));
        options.set_redundancy(redundancy);
        let srtp = SrtpSender::with_header_encryption(&master(profile), encryption);
        let packetizer = Packetizer::new(config, Arc::default()).unwrap();
        SendState::new(packetizer, srtp, options)
    }

    /// Sends frames of 20 ms and so many octets, and the last packet once more.
    fn send(state: &mut SendState, payloads: &[usize]) -> Vec<Vec<u8>> {
        send_lasting(state, payloads, 960)
    }

    /// The same with frames of so many ticks.
    fn send_lasting(state: &mut SendState, payloads: &[usize], duration: u32) -> Vec<Vec<u8>> {
        let (mut history, mut outbox) = (History::default(), Outbox::new());
        let moment = Moment {
            now: Instant::now(),
            ntp: NtpTime(0),
        };
        for (&len, frame) in payloads.iter().zip(0..) {
            let number = history.push(OwnedFrame {
                payload: vec![5; len].into(),
                comfort_noise: false,
                timestamp: frame * duration,
                duration,
                marker: false,
                audio_level: 20,
                voice: false,
                captured: NtpTime(0),
            });
            assert!(state.send(&history, number, moment, NOBODY, &mut outbox));
        }
        let last = 99 + payloads.len() as u16;
        assert!(state.retransmit(&history, last, moment, NOBODY, &mut outbox));
        let datagrams = outbox.datagrams().map(|(bytes, _)| bytes.to_vec());
        datagrams.collect()
    }

    #[test]
    fn rfc9335_and_rfc6904_headers_are_read_under_every_profile() {
        let extensions = ExtensionIds {
            audio_level: Some(2),
            transport_cc: Some(5),
            ..ExtensionIds::default()
        };
        let level = skywave_srtp::ExtensionIds::new(&[2]).unwrap();
        let encryptions = [
            HeaderEncryption::None,
            HeaderEncryption::Cryptex,
            HeaderEncryption::Elements(level),
        ];
        for profile in [1, 2, 7, 8].map(|id| Profile::from_iana(id).unwrap()) {
            for encryption in encryptions {
                let mut state = state(profile, encryption, extensions, 0);
                let mut receiver =
                    SrtpReceiver::with_header_encryption(&master(profile), encryption);
                let sent = send(&mut state, &[80, 80, 80]);
                assert_eq!(sent.len(), 4);
                for (mut datagram, number) in sent.into_iter().zip(0u8..) {
                    let len = receiver.unprotect(&mut datagram).unwrap();
                    let packet = RtpPacket::parse(&datagram[..len]).unwrap();
                    let elements = packet
                        .extensions()
                        .map(|element| (element.id, element.data));
                    let expected: [(u8, &[u8]); 2] = [(2, &[20]), (5, &[0, number])];
                    assert!(elements.eq(expected), "{profile:?} {encryption:?}");
                }
            }
        }
    }

    #[test]
    fn longest_packet_can_be_sent_again_as_rtx() {
        let none = ExtensionIds::default();
        let mut state = state(Profile::AeadAes128Gcm, HeaderEncryption::None, none, 0);
        // Beside it 12 octets of header, the original number, the tag.
        let payload = Outbox::DATAGRAM - 12 - 2 - 16;
        // As many as earn the retransmission.
        let sent = send(&mut state, &[payload; 8]);
        assert_eq!(sent[7].len(), Outbox::DATAGRAM - 2);
        assert_eq!(sent[8].len(), Outbox::DATAGRAM);
    }

    #[test]
    fn redundancy_makes_no_packet_that_a_path_has_to_cut() {
        // 12 octets of header, 4 and 1 of blocks, twice the payload, the tag; again as it was.
        let redundant = 12 + 5 + 2 * 598 + 16;
        assert_eq!(sent_and_again(598), [redundant, redundant]);
        // Nothing is repeated: again as RTX, with the original number.
        let plain = 12 + 599 + 16;
        assert_eq!(sent_and_again(599), [plain, plain + 2]);
    }

    #[test]
    fn limit_of_the_bit_rate_is_held_against_what_a_packet_lasts() {
        let none = ExtensionIds::default();
        let len_of = |milliseconds: u32| {
            let mut state = state(Profile::AeadAes128Gcm, HeaderEncryption::None, none, 2);
            // An octet in a quarter of a millisecond; headers take 84.
            state.configure(|options| options.request_max_bitrate(32_000));
            let sent = send_lasting(&mut state, &[40; 8], milliseconds * 48);
            sent[7].len()
        };
        let plain = 12 + 40 + 16;
        assert_eq!(len_of(10), plain);
        assert_eq!(len_of(40), plain);
        assert_eq!(len_of(41), plain + 1 + (4 + 40));
        assert_eq!(len_of(60), plain + 1 + 2 * (4 + 40));
    }

    fn sent_and_again(payload: usize) -> [usize; 2] {
        let none = ExtensionIds::default();
        let mut state = state(Profile::AeadAes128Gcm, HeaderEncryption::None, none, 2);
        let sent = send(&mut state, &[payload; 8]);
        [sent[7].len(), sent[8].len()]
    }
}
