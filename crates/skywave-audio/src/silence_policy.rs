//! What is sent while there is nothing to hear (silence suppression, RFC 3551 §4.1).

use std::time::Duration;

use crate::SAMPLE_RATE;

/// What is sent while a track is silent.
///
/// Time runs on whatever is sent: the packet after a pause has the timestamp of its own samples,
/// the next sequence number, and the marker bit (RFC 3551 §4.1). RTCP goes on too; as a sender
/// that has not sent for two intervals reports as a receiver (RFC 3550 §6.4), so does this one.
///
/// In a pause whoever joins hears nothing and sees no packet until it is over, and digits
/// ([RFC 4733](https://www.rfc-editor.org/rfc/rfc4733)), which take the place of packets, wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SilencePolicy {
    /// Every packet: listeners cannot tell silence from anything else, and what lies between keeps
    /// its state.
    #[default]
    Continuous,
    /// Opus encoders go over to discontinuous transmission (RFC 6716 §2.1.9) when they hear
    /// nothing: of silence they send about one packet in 400 ms. Other codecs send every packet, and
    /// so does libopus before 1.4 (feature `audiopus`) in music below a complexity of 7.
    Dtx,
    /// No packet of digital silence, in any codec, once it has lasted for a while: when there is
    /// no source, or one that gives zeros or nothing.
    Stop,
}

/// Tells which packets of a stream need not be sent.
#[derive(Debug)]
pub(crate) struct SilenceGate {
    policy: SilencePolicy,
    /// In samples.
    hangover: usize,
    silent: usize,
    /// The packet before this one was not sent, or there was none.
    paused: bool,
}

impl SilenceGate {
    /// A gate that stops digital silence when it has lasted longer than `hangover`, if that is the
    /// policy.
    pub(crate) fn new(policy: SilencePolicy, hangover: Duration) -> Self {
        Self {
            policy,
            hangover: (hangover.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize,
            silent: 0,
            paused: policy != SilencePolicy::Continuous,
        }
    }

    /// Whether a packet of these samples is to be sent, as far as can be told before it is
    /// encoded.
    pub(crate) fn admits(&mut self, samples: &[[f32; 2]]) -> bool {
        if self.policy != SilencePolicy::Stop {
            return true;
        }
        if samples.iter().any(|sample| *sample != [0.0; 2]) {
            self.silent = 0;
            return true;
        }
        self.silent = self.silent.saturating_add(samples.len());
        let admits = self.silent <= self.hangover;
        self.paused |= !admits;
        admits
    }

    /// The marker bit of a packet with a payload of that length, by an encoder that may be set to
    /// `dtx`. None if it is not to be sent.
    pub(crate) fn marker(&mut self, dtx: bool, payload: usize) -> Option<bool> {
        if dtx && payload <= MAX_DTX_PAYLOAD {
            self.paused = true;
            return None;
        }
        Some(std::mem::take(&mut self.paused))
    }
}

/// An Opus packet without audio has one octet, or two: the decoder conceals the frame, as it does
/// if no packet comes (RFC 6716 §3.2.1, RFC 7587 §3.1.3).
const MAX_DTX_PAYLOAD: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EncodedFrame, Encoding, OpusComplexity, OpusOptions, PacketEncoder, Packetization, Ptime,
    };

    fn encoder(
        encoding: Encoding,
        ptime: Ptime,
        policy: SilencePolicy,
        hangover: u64,
    ) -> PacketEncoder {
        let packetization = Packetization { encoding, ptime };
        let options = OpusOptions {
            dtx: policy == SilencePolicy::Dtx,
            // Below it libopus 1.3 leaves nothing out.
            complexity: OpusComplexity::new(7).unwrap(),
            ..OpusOptions::default()
        };
        let mut encoder = PacketEncoder::new(packetization.settings(options)).unwrap();
        encoder.set_silence(policy, Duration::from_millis(hangover));
        encoder
    }

    /// What is sent of a second of noise, ten of silence, and a second of noise.
    fn sent(encoder: &mut PacketEncoder, ptime: Ptime) -> Vec<EncodedFrame> {
        let mut noise = 1_u32;
        let mut next = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise as f32 / u32::MAX as f32 - 0.5
        };
        let step = ptime.samples();
        let mut sent = Vec::new();
        for position in (0..12 * 48_000).step_by(step) {
            let loud = !(48_000..11 * 48_000).contains(&position);
            let pcm: Vec<_> = (0..step)
                .map(|_| if loud { [next(); 2] } else { [0.0; 2] })
                .collect();
            sent.extend(encoder.push(position as u64, &pcm).unwrap());
        }
        sent
    }

    fn in_silence(packet: &&EncodedFrame) -> bool {
        (48_000..11 * 48_000).contains(&packet.begin)
    }

    /// Every packet has the time of its samples, and the marker if none was sent just before.
    fn assert_times_and_markers(sent: &[EncodedFrame], ptime: Ptime, clock_rate: u64) {
        let mut expected = 0;
        for packet in sent {
            let timestamp = packet.begin * clock_rate / 48_000;
            assert_eq!(u64::from(packet.timestamp), timestamp);
            let follows = packet.begin == expected && packet.begin > 0;
            assert_eq!(packet.marker, !follows, "at {}", packet.begin);
            expected = packet.begin + ptime.samples() as u64;
        }
    }

    #[test]
    fn continuous_sends_everything_and_rfc3551_4_1_never_a_marker() {
        let policy = SilencePolicy::Continuous;
        for encoding in Encoding::PLAIN {
            let sent = sent(&mut encoder(encoding, Ptime::Ms20, policy, 0), Ptime::Ms20);
            assert_eq!(sent.len(), 600);
            assert!(sent.iter().all(|packet| !packet.marker));
        }
    }

    #[test]
    fn stop_sends_no_silence_beyond_the_hangover_and_rfc3551_4_1_a_marker_behind_it() {
        for ptime in Ptime::ALL {
            for encoding in [Encoding::OPUS_STEREO, Encoding::Pcmu] {
                let sent = sent(
                    &mut encoder(encoding, ptime, SilencePolicy::Stop, 240),
                    ptime,
                );
                let silent = sent.iter().filter(in_silence).count();
                assert_eq!(silent as u32, 240 / ptime.milliseconds(), "{ptime:?}");
                let rate = encoding.codec().clock_rate();
                assert_times_and_markers(&sent, ptime, rate.into());
                let markers = sent.iter().filter(|packet| packet.marker);
                let begins: Vec<_> = markers.map(|packet| packet.begin).collect();
                let samples = ptime.samples() as u64;
                let loud = (11 * 48_000_u64).next_multiple_of(samples);
                assert_eq!(begins, [0, loud]);
            }
        }
    }

    #[test]
    fn rfc6716_dtx_leaves_out_nearly_all_packets_of_silence() {
        for encoding in [Encoding::OPUS_MONO, Encoding::OPUS_STEREO] {
            let mut encoder = encoder(encoding, Ptime::Ms20, SilencePolicy::Dtx, 0);
            let sent = sent(&mut encoder, Ptime::Ms20);
            let silent = sent.iter().filter(in_silence).count();
            // 200 ms before it sets in, then one in 21: less than a twentieth.
            assert!((20..10 + 500 / 20).contains(&silent), "{silent}");
            assert!(sent.iter().all(|packet| packet.payload.len() > 2));
            assert_eq!(sent.len() - silent, 100);
            assert_times_and_markers(&sent, Ptime::Ms20, 48_000);
        }
    }

    #[test]
    fn dtx_is_of_opus_only() {
        let mut encoder = encoder(Encoding::Pcma, Ptime::Ms20, SilencePolicy::Dtx, 0);
        assert_eq!(sent(&mut encoder, Ptime::Ms20).len(), 600);
    }
}
