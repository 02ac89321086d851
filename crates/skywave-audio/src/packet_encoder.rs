//! Makes the packets of one stream out of a track that is read in steps of any length.

use std::time::Duration;

use crate::frame_clock::rtp_timestamp;
use crate::silence_gate::{SilenceGate, Verdict};
use crate::{EncodedFrame, Encoder, EncoderSettings, Error, SilencePolicy, VoiceActivity};

/// Collects the samples of a packet and encodes it when it is full.
#[derive(Debug)]
pub struct PacketEncoder {
    encoder: Encoder,
    voice: VoiceActivity,
    silence: SilenceGate,
    /// The packet in the making, and where in the track it begins.
    samples: Vec<[f32; 2]>,
    begin: u64,
    payload: Vec<u8>,
}

impl PacketEncoder {
    /// An encoder with fresh state.
    ///
    /// # Errors
    /// Those of [`Encoder::new`].
    pub fn new(settings: EncoderSettings) -> Result<Self, Error> {
        Ok(Self {
            encoder: Encoder::new(settings)?,
            voice: VoiceActivity::default(),
            silence: SilenceGate::new(SilencePolicy::Continuous, Duration::ZERO, false),
            samples: Vec::with_capacity(settings.ptime().samples()),
            begin: 0,
            payload: Vec::new(),
        })
    }

    /// What is sent of silence; before the first packet. `hangover` is how long it is sent before
    /// [`SilencePolicy::Stop`] stops it or comfort noise takes its place. For
    /// [`SilencePolicy::Dtx`] an encoder of Opus has to be set to DTX too.
    pub fn set_silence(&mut self, policy: SilencePolicy, hangover: Duration) {
        let comfort_noise = self.settings().packetization.comfort_noise;
        self.silence = SilenceGate::new(policy, hangover, comfort_noise);
    }

    /// What it is set to.
    #[must_use]
    pub fn settings(&self) -> EncoderSettings {
        self.encoder.settings()
    }

    /// Takes over what another one has collected, if its packets are as long: so the first packet
    /// comes with that of the other.
    pub fn collect_like(&mut self, other: &Self) {
        if self.settings().ptime() == other.settings().ptime() {
            self.begin = other.begin;
            self.samples.clone_from(&other.samples);
        }
    }

    /// Goes on with other settings, from the packet in the making on; see [`Encoder::set`].
    ///
    /// # Errors
    /// Those of [`Encoder::set`].
    pub fn set(&mut self, settings: EncoderSettings) -> Result<(), Error> {
        self.encoder.set(settings)
    }

    /// Takes the samples of a step that begins at `position`, counted from the track's start.
    /// Returns a packet if it is full with them, and not left out as silence.
    ///
    /// A packet begins at a multiple of its length only: what comes before the first is left out.
    /// If time was skipped, what was collected before is dropped. A step must not reach beyond
    /// the end of a packet that has begun; one that does is left out, with the packet.
    ///
    /// # Errors
    /// Those of [`Encoder::encode`]; the packet is lost.
    pub fn push(&mut self, position: u64, pcm: &[[f32; 2]]) -> Result<Option<EncodedFrame>, Error> {
        if self.begin + self.samples.len() as u64 != position {
            self.samples.clear();
        }
        let len = self.settings().ptime().samples();
        if self.samples.is_empty() {
            self.begin = position;
        }
        if !self.begin.is_multiple_of(len as u64) || self.samples.len() + pcm.len() > len {
            self.samples.clear();
            return Ok(None);
        }
        self.samples.extend_from_slice(pcm);
        if self.samples.len() < len {
            return Ok(None);
        }
        let packet = self.encode();
        self.samples.clear();
        packet
    }

    fn encode(&mut self) -> Result<Option<EncodedFrame>, Error> {
        if let Verdict::Silence { level, is_news } = self.silence.judge(&self.samples) {
            let voice = self.voice.update(level, self.samples.len());
            return Ok(is_news.then(|| self.comfort_noise(level, voice)));
        }
        self.payload.clear();
        let audio_level = self.encoder.encode(&self.samples, &mut self.payload)?;
        let voice = self.voice.update(audio_level, self.samples.len());
        let settings = self.settings();
        let Some(marker) = self.silence.marker(settings.opus.dtx, self.payload.len()) else {
            return Ok(None);
        };
        Ok(Some(EncodedFrame {
            payload: self.payload.as_slice().into(),
            comfort_noise: false,
            begin: self.begin,
            timestamp: rtp_timestamp(self.begin, settings.codec().clock_rate()),
            marker,
            audio_level,
            voice,
        }))
    }

    /// White noise of that level: RFC 3389 §3.2 leaves it to the sender whether it describes the
    /// spectrum. It begins no talkspurt, so it has no marker (RFC 3551 §4.1).
    fn comfort_noise(&self, level: u8, voice: bool) -> EncodedFrame {
        EncodedFrame {
            payload: [level].into(),
            comfort_noise: true,
            begin: self.begin,
            timestamp: rtp_timestamp(self.begin, self.settings().codec().clock_rate()),
            marker: false,
            audio_level: level,
            voice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AudioSource, Encoding, Melody, OpusComplexity, OpusOptions, OpusReceiver, Packetization,
        Ptime,
    };

    fn encoder(encoding: Encoding, ptime: Ptime) -> PacketEncoder {
        let packetization = Packetization::new(encoding, ptime);
        PacketEncoder::new(packetization.settings(OpusOptions::default())).unwrap()
    }

    fn melody(samples: usize) -> Vec<[f32; 2]> {
        let mut pcm = vec![[0.0; 2]; samples];
        Melody::new().read(&mut pcm);
        pcm
    }

    #[test]
    fn packet_is_the_same_in_whatever_steps_it_came() {
        let pcm = melody(5 * 2_880);
        for encoding in Encoding::PLAIN {
            let packets = |step: usize| {
                let mut encoder = encoder(encoding, Ptime::Ms60);
                let steps = pcm.chunks(step).zip((0..).step_by(step));
                let packets = steps.map(|(pcm, position)| encoder.push(position, pcm).unwrap());
                packets.flatten().collect::<Vec<_>>()
            };
            let whole = packets(2_880);
            let timestamps = whole.iter().map(|packet| packet.timestamp);
            let step = 60 * encoding.codec().clock_rate() / 1_000;
            assert!(timestamps.eq((0..5).map(|packet| packet * step)));
            for step in [480, 960, 1_440] {
                assert_eq!(packets(step), whole, "{encoding:?} {step}");
            }
        }
    }

    #[test]
    fn first_packet_begins_at_a_boundary() {
        let mut encoder = encoder(Encoding::Pcmu, Ptime::Ms40);
        let pcm = [[0.1; 2]; 960];
        let begins: Vec<_> = (1..9)
            .map(|step| encoder.push(step * 960, &pcm).unwrap())
            .map(|packet| packet.map(|packet| packet.begin))
            .collect();
        let packets = [
            None,
            None,
            Some(1_920),
            None,
            Some(3_840),
            None,
            Some(5_760),
            None,
        ];
        assert_eq!(begins, packets);
    }

    #[test]
    fn step_beyond_the_end_of_a_packet_is_left_out() {
        let mut encoder = encoder(Encoding::Pcmu, Ptime::Ms20);
        let pcm = [[0.1; 2]; 2_880];
        assert_eq!(encoder.push(0, &pcm).unwrap(), None);
        let next = encoder.push(2_880, &pcm[..960]).unwrap();
        assert_eq!(next.unwrap().begin, 2_880);
    }

    #[test]
    fn skipped_time_drops_what_was_collected_and_the_next_whole_packet_comes() {
        let mut encoder = encoder(Encoding::Pcmu, Ptime::Ms60);
        let (loud, quiet) = ([[0.5; 2]; 960], [[0.001; 2]; 960]);
        assert_eq!(encoder.push(0, &loud).unwrap(), None);
        // 40 to 120 ms are skipped; 120 is a boundary.
        for position in [120, 140] {
            assert_eq!(encoder.push(position * 48, &quiet).unwrap(), None);
        }
        let packet = encoder.push(160 * 48, &quiet).unwrap().unwrap();
        assert_eq!((packet.timestamp, packet.audio_level), (960, 60));
    }

    #[test]
    fn rfc7587_3_1_3_silence_is_left_out_where_dtx_is_wanted_and_sound_after_it_is_marked() {
        let sent = |dtx| {
            let receiver = OpusReceiver {
                dtx,
                ..OpusReceiver::MONO
            };
            let packetization = Packetization::new(Encoding::Opus(receiver), Ptime::Ms20);
            // libopus before 1.4 knows silence only from here on.
            let options = OpusOptions {
                complexity: OpusComplexity::new(7).unwrap(),
                ..OpusOptions::default()
            };
            let mut encoder = PacketEncoder::new(packetization.settings(options)).unwrap();
            let mut pcm = melody(100 * 960);
            pcm[20 * 960..80 * 960].fill([0.0; 2]);
            let steps = pcm.chunks(960).zip((0..).step_by(960));
            let packets = steps.filter_map(|(pcm, position)| encoder.push(position, pcm).unwrap());
            packets.collect::<Vec<_>>()
        };
        assert_eq!(sent(false).len(), 100);
        let sent = sent(true);
        assert!((45..70).contains(&sent.len()), "{}", sent.len());
        let silent = |packet: &&EncodedFrame| (30 * 960..80 * 960).contains(&packet.begin);
        assert!(sent.iter().filter(silent).count() < 15);
        let sound = sent.iter().find(|packet| packet.begin >= 80 * 960).unwrap();
        assert_eq!((sound.begin, sound.marker), (80 * 960, true));
        for pair in sent.windows(2) {
            assert_eq!(pair[1].marker, pair[1].begin != pair[0].begin + 960);
        }
    }
}
