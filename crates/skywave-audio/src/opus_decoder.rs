//! Decoding of Opus in Ogg (RFC 7845). The demultiplexer gives the packets and
//! the identification header; mapping families 0 and 1 are decoded.

use ropus::OpusMSDecoder;
use symphonia::core::audio::Position;

use crate::SAMPLE_RATE;
use crate::downmix::Downmix;

/// Decodes the packets of one Ogg Opus stream to stereo.
pub(crate) struct OpusDecoder {
    inner: OpusMSDecoder,
    downmix: Downmix,
    gain: f32,
    /// Samples to be dropped at the start (RFC 7845 §4.2), and how many still are.
    pre_skip: u16,
    unskipped: usize,
    channels: usize,
    pcm: Vec<i16>,
    interleaved: Vec<f32>,
}

impl OpusDecoder {
    /// A decoder for the stream with this identification header, or what is
    /// wrong with the header.
    pub(crate) fn new(head: &[u8]) -> Result<Self, &'static str> {
        // RFC 7845 §5.1.
        let fixed: &[u8; 19] = head.first_chunk().ok_or("short Opus header")?;
        let channels = fixed[9];
        let pre_skip = u16::from_le_bytes([fixed[10], fixed[11]]);
        let gain = i16::from_le_bytes([fixed[16], fixed[17]]);
        let family_table = head.get(21..).unwrap_or_default();
        let (streams, coupled, mapping) = match (fixed[18], channels) {
            (0, 1) => (1, 0, &[0][..]),
            (0, 2) => (1, 1, &[0, 1][..]),
            (1, 1..=8) if family_table.len() >= channels.into() => {
                (head[19], head[20], family_table)
            }
            _ => return Err("this channel mapping of Opus"),
        };
        let channels = usize::from(channels);
        let inner = OpusMSDecoder::new(
            SAMPLE_RATE as i32,
            channels as i32,
            streams.into(),
            coupled.into(),
            mapping,
        )
        .map_err(|_| "this channel mapping of Opus")?;
        Ok(Self {
            inner,
            downmix: Downmix::of_positions(VORBIS_ORDER[channels - 1]),
            gain: 10_f32.powf(f32::from(gain) / (20.0 * 256.0)) / 32_768.0,
            pre_skip,
            unskipped: pre_skip.into(),
            channels,
            pcm: vec![0; channels * MAX_PACKET_SAMPLES],
            interleaved: Vec::new(),
        })
    }

    /// Samples that the stream has before its audio begins.
    pub(crate) fn pre_skip(&self) -> u16 {
        self.pre_skip
    }

    /// Drops no samples at the start: it is not the stream's, or who asks does it.
    pub(crate) fn forget_pre_skip(&mut self) {
        self.unskipped = 0;
    }

    /// Appends a packet's samples, `trim_end` fewer than it holds. A broken
    /// packet gives none; false then.
    pub(crate) fn decode(
        &mut self,
        packet: &[u8],
        trim_end: usize,
        pcm: &mut Vec<[f32; 2]>,
    ) -> bool {
        let length = i32::try_from(packet.len()).unwrap_or(0);
        if length == 0 {
            return false;
        }
        let decoded = self.inner.decode(
            Some(packet),
            length,
            &mut self.pcm,
            MAX_PACKET_SAMPLES as i32,
            false,
        );
        let Ok(samples) = decoded else {
            return false;
        };
        let samples = samples.max(0) as usize;
        let start = self.unskipped.min(samples);
        self.unskipped -= start;
        let end = samples.saturating_sub(trim_end).max(start);
        let kept = &self.pcm[start * self.channels..end * self.channels];
        self.interleaved.clear();
        self.interleaved
            .extend(kept.iter().map(|&sample| f32::from(sample) * self.gain));
        self.downmix.mix(&self.interleaved, pcm);
        true
    }
}

/// 120 ms, the longest packet (RFC 6716 §3.2.5).
const MAX_PACKET_SAMPLES: usize = 5_760;

const L: Position = Position::FRONT_LEFT;
const R: Position = Position::FRONT_RIGHT;
const C: Position = Position::FRONT_CENTER;
const RL: Position = Position::REAR_LEFT;
const RR: Position = Position::REAR_RIGHT;
const RC: Position = Position::REAR_CENTER;
const SL: Position = Position::SIDE_LEFT;
const SR: Position = Position::SIDE_RIGHT;
const LFE: Position = Position::LFE1;

/// The channel order of mapping family 1 by the number of channels (RFC 7845 §5.1.1.2).
const VORBIS_ORDER: [&[Position]; 8] = [
    &[C],
    &[L, R],
    &[L, C, R],
    &[L, R, RL, RR],
    &[L, C, R, RL, RR],
    &[L, C, R, RL, RR, LFE],
    &[L, C, R, SL, SR, RC, LFE],
    &[L, C, R, SL, SR, RL, RR, LFE],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn head(channels: u8, family: u8, table: &[u8]) -> Vec<u8> {
        let mut head = b"OpusHead\x01".to_vec();
        head.extend([channels, 0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0, family]);
        head.extend(table);
        head
    }

    #[test]
    fn headers_without_meaning_are_refused() {
        for bad in [
            head(0, 0, &[]),
            head(3, 0, &[]),
            head(9, 1, &[9, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
            head(6, 1, &[4, 2, 0, 4, 1, 2, 3]),
            head(6, 1, &[0, 0, 0, 4, 1, 2, 3, 5]),
            head(2, 1, &[1, 1, 0, 7]),
            head(2, 255, &[2, 0, 0, 1]),
            head(1, 0, &[])[..18].to_vec(),
            Vec::new(),
        ] {
            assert!(OpusDecoder::new(&bad).is_err(), "{bad:?}");
        }
        assert!(OpusDecoder::new(&head(6, 1, &[4, 2, 0, 4, 1, 2, 3, 5])).is_ok());
    }

    #[test]
    fn broken_packets_give_no_samples_and_no_panic() {
        let mut decoder = OpusDecoder::new(&head(2, 0, &[])).unwrap();
        let mut pcm = Vec::new();
        assert!(!decoder.decode(&[], 0, &mut pcm));
        // Code 3 with a frame count of zero, and without a frame count (RFC 6716 §3.2.5).
        assert!(!decoder.decode(&[0xff, 0x00], 0, &mut pcm));
        assert!(!decoder.decode(&[0xff], 0, &mut pcm));
        assert!(pcm.is_empty());
        // A packet of silence counts, but for the pre-skip of 312 and the trim.
        decoder.decode(&[0xfc], 100, &mut pcm);
        assert_eq!(pcm.len(), 960 - 312 - 100);
        decoder.decode(&[0xfc], usize::MAX, &mut pcm);
        assert_eq!(pcm.len(), 960 - 312 - 100);
    }
}
