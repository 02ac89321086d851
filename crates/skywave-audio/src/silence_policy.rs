//! What is sent while there is nothing to hear (silence suppression, RFC 3551 §4.1).

use std::time::Duration;

use crate::SAMPLE_RATE;
use crate::audio_level::{DIGITAL_SILENCE, level_of};

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
    /// nothing: of silence they send about one packet in 400 ms. So does G.711 to listeners that
    /// agreed to comfort noise (RFC 3389): of what is quieter than -60 dBov only the level, when
    /// it begins, changes, and every 400 ms. Other codecs send every packet, and so does libopus
    /// before 1.4 (feature `audiopus`) in music below a complexity of 7.
    Dtx,
    /// No packet of digital silence, in any codec, once it has lasted for a while: when there is
    /// no source, or one that gives zeros or nothing. Listeners of G.711 that agreed to comfort
    /// noise are told of it as above, and need not take it for loss.
    Stop,
}

/// Tells which packets of a stream need not be sent.
#[derive(Debug)]
pub(crate) struct SilenceGate {
    policy: SilencePolicy,
    /// Listeners make noise themselves where nothing is sent.
    comfort_noise: bool,
    /// In samples.
    hangover: usize,
    silent: usize,
    /// The packet before this one was not sent, or there was none.
    paused: bool,
    /// What they were told of the noise in this pause.
    told: Option<Told>,
}

/// A description of the noise that was sent.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// In -dBov.
    level: u8,
    /// How long ago, in samples.
    age: usize,
}

/// What becomes of a packet, as far as can be told before it is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Sound,
    /// Not to be encoded.
    Silence {
        /// In -dBov.
        level: u8,
        /// Listeners are to be told of that level.
        is_news: bool,
    },
}

impl SilenceGate {
    /// A gate that stops silence when it has lasted longer than `hangover`: digital silence, if
    /// that is the policy, and quiet noise, if it is DTX and listeners make `comfort_noise`.
    pub(crate) fn new(policy: SilencePolicy, hangover: Duration, comfort_noise: bool) -> Self {
        Self {
            policy,
            comfort_noise,
            hangover: (hangover.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize,
            silent: 0,
            paused: policy != SilencePolicy::Continuous,
            told: None,
        }
    }

    /// What becomes of a packet of these samples.
    pub(crate) fn judge(&mut self, samples: &[[f32; 2]]) -> Verdict {
        let Some(level) = self.level_of_silence(samples) else {
            self.silent = 0;
            self.told = None;
            return Verdict::Sound;
        };
        self.silent = self.silent.saturating_add(samples.len());
        if self.silent <= self.hangover {
            return Verdict::Sound;
        }
        self.paused = true;
        let is_news = self.comfort_noise && self.is_news(level, samples.len());
        Verdict::Silence { level, is_news }
    }

    /// The level of the samples, in -dBov, if they count as silence.
    fn level_of_silence(&self, samples: &[[f32; 2]]) -> Option<u8> {
        match self.policy {
            SilencePolicy::Stop => {
                let is_zero = |sample: &[f32; 2]| *sample == [0.0; 2];
                samples.iter().all(is_zero).then_some(DIGITAL_SILENCE)
            }
            SilencePolicy::Dtx if self.comfort_noise => {
                let mono = samples.iter().map(|[left, right]| (left + right) / 2.0);
                Some(level_of(mono)).filter(|&level| level > LOUDEST_NOISE)
            }
            SilencePolicy::Continuous | SilencePolicy::Dtx => None,
        }
    }

    /// Whether listeners have to be told: at the beginning of a pause, when the level has changed,
    /// and once in a while, as packets are lost (RFC 3389 §4 leaves the rate to the sender).
    fn is_news(&mut self, level: u8, samples: usize) -> bool {
        match &mut self.told {
            Some(told)
                if told.age < RENEWAL_SAMPLES && told.level.abs_diff(level) < HEARD_CHANGE =>
            {
                told.age += samples;
                false
            }
            told => {
                *told = Some(Told {
                    level,
                    age: samples,
                });
                true
            }
        }
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

/// In -dBov: louder is no background. Speech that is close to a microphone lies above -45, what a
/// quiet room adds to it below -60.
const LOUDEST_NOISE: u8 = 60;
/// In dB.
const HEARD_CHANGE: u8 = 3;
/// 400 ms, as Opus has it.
const RENEWAL_SAMPLES: usize = SAMPLE_RATE as usize * 2 / 5;

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
        encoder_of(Packetization::new(encoding, ptime), policy, hangover)
    }

    fn encoder_of(
        packetization: Packetization,
        policy: SilencePolicy,
        hangover: u64,
    ) -> PacketEncoder {
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
        sent_with(encoder, ptime, |_| 0.0)
    }

    /// The same, with noise of that amplitude at each sample of the ten seconds.
    fn sent_with(
        encoder: &mut PacketEncoder,
        ptime: Ptime,
        quiet: impl Fn(usize) -> f32,
    ) -> Vec<EncodedFrame> {
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
                .map(|_| [next() * if loud { 1.0 } else { quiet(position) }; 2])
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
                assert_eq!(silent, 240 * 48 / ptime.samples(), "{ptime:?}");
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

    fn described(encoding: Encoding, ptime: Ptime) -> Packetization {
        Packetization {
            comfort_noise: true,
            ..Packetization::new(encoding, ptime)
        }
    }

    fn noise(sent: &[EncodedFrame]) -> Vec<&EncodedFrame> {
        sent.iter().filter(|packet| packet.comfort_noise).collect()
    }

    #[test]
    fn rfc3389_4_silence_that_is_stopped_is_described_at_its_beginning_and_now_and_then() {
        for ptime in Ptime::ALL {
            for encoding in [Encoding::Pcmu, Encoding::Pcma] {
                let packetization = described(encoding, ptime);
                let mut encoder = encoder_of(packetization, SilencePolicy::Stop, 240);
                let sent = sent(&mut encoder, ptime);
                assert_times_and_markers_around_noise(&sent);
                let noise = noise(&sent);
                let step = ptime.samples() as u64;
                let first = (48_000_u64).next_multiple_of(step) + (240 * 48) / step * step;
                let interval = 19_200_u64.next_multiple_of(step) as usize;
                let begins = noise.iter().map(|packet| packet.begin);
                assert!(
                    begins.eq((first..11 * 48_000).step_by(interval)),
                    "{ptime:?}"
                );
                assert!(noise.iter().all(|packet| packet.payload[..] == [127]));
                assert!(noise.iter().all(|packet| packet.audio_level == 127));
            }
        }
    }

    /// Times are exact, and of the packets of sound those have a marker that follow none or noise.
    fn assert_times_and_markers_around_noise(sent: &[EncodedFrame]) {
        let mut after_sound = false;
        for packet in sent {
            assert_eq!(u64::from(packet.timestamp), packet.begin / 6);
            let expected = !packet.comfort_noise && !after_sound;
            assert_eq!(packet.marker, expected, "at {}", packet.begin);
            after_sound = !packet.comfort_noise;
        }
    }

    #[test]
    fn rfc3389_3_1_level_of_the_noise_is_told_and_told_again_when_it_changes() {
        // The noise has -10.8 dBov, a thousandth of it 60 less, half of that another 6.
        let at = |amplitudes: [f32; 2]| {
            let packetization = described(Encoding::Pcmu, Ptime::Ms20);
            let mut encoder = encoder_of(packetization, SilencePolicy::Dtx, 200);
            let quiet = |position| amplitudes[usize::from(position >= 283_200)];
            let sent = sent_with(&mut encoder, Ptime::Ms20, quiet);
            assert_times_and_markers_around_noise(&sent);
            sent
        };
        let sent = at([0.001, 0.000_5]);
        let noise = noise(&sent);
        let levels: Vec<_> = noise
            .iter()
            .map(|packet| (packet.begin, &packet.payload[..]))
            .collect();
        let first = 48_000 + 200 * 48;
        assert_eq!(levels[0], (first, &[71][..]));
        assert_eq!(levels[1], (first + 19_200, &[71][..]));
        assert!(levels.contains(&(283_200, &[77][..])), "{levels:?}");
        assert_eq!(levels.len(), 12 + 13);
        let all = at([0.005, 0.004]);
        assert_eq!(all.len(), 600, "so loud it is no background");
    }

    #[test]
    fn rfc3389_1_who_makes_no_noise_gets_all_of_it_in_dtx_and_nothing_when_it_stops() {
        let mut plain = encoder(Encoding::Pcmu, Ptime::Ms20, SilencePolicy::Stop, 240);
        assert!(noise(&sent(&mut plain, Ptime::Ms20)).is_empty());
        let packetization = described(Encoding::Pcmu, Ptime::Ms20);
        let mut always = encoder_of(packetization, SilencePolicy::Continuous, 0);
        let sent = sent(&mut always, Ptime::Ms20);
        assert_eq!((sent.len(), noise(&sent).len()), (600, 0));
    }

    #[test]
    fn dtx_is_of_opus_only() {
        let mut encoder = encoder(Encoding::Pcma, Ptime::Ms20, SilencePolicy::Dtx, 0);
        assert_eq!(sent(&mut encoder, Ptime::Ms20).len(), 600);
    }
}
