//! A packet that somebody else has encoded, and how long it lasts.

use std::sync::Arc;

use crate::{AudioCodec, Error};

/// A packet of a codec that somebody else has encoded. How long it lasts is read out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodedPacket {
    codec: AudioCodec,
    payload: Arc<[u8]>,
    samples: u32,
}

impl EncodedPacket {
    /// The longest payload that fits into a datagram together with all headers, in octets.
    pub const MAX_PAYLOAD: usize = 1_400;
    /// The longest packet, 120 ms (RFC 6716 §3.2.5), in samples of 48 kHz.
    pub const MAX_SAMPLES: u32 = 5_760;

    /// Takes an RTP payload of `codec`: exactly one packet of Opus, without the framing of a
    /// container.
    ///
    /// # Errors
    /// [`Error::EncodedPacket`] if it is empty, longer than [`MAX_PAYLOAD`](Self::MAX_PAYLOAD),
    /// lasts longer than 120 ms, or is no packet of the codec.
    pub fn new(codec: AudioCodec, payload: impl Into<Arc<[u8]>>) -> Result<Self, Error> {
        let payload = payload.into();
        let refused = |reason| Err(Error::EncodedPacket(reason));
        if payload.is_empty() {
            return refused("it is empty");
        }
        if payload.len() > Self::MAX_PAYLOAD {
            return refused("it does not fit into a datagram");
        }
        let samples = match codec {
            AudioCodec::Opus => opus_samples(&payload),
            // An octet is a sample of 8 kHz.
            AudioCodec::Pcmu | AudioCodec::Pcma => u32::try_from(6 * payload.len()).ok(),
            // An octet is two samples of 16 kHz.
            AudioCodec::G722 => u32::try_from(6 * payload.len()).ok(),
            AudioCodec::L16 => l16_samples(&payload, 1),
            AudioCodec::L16Wideband => l16_samples(&payload, 3),
        };
        match samples {
            Some(samples @ 1..=Self::MAX_SAMPLES) => Ok(Self {
                codec,
                payload,
                samples,
            }),
            Some(_) => refused("it lasts longer than 120 ms"),
            None => refused("it is no packet of this codec"),
        }
    }

    /// The codec.
    #[must_use]
    pub fn codec(&self) -> AudioCodec {
        self.codec
    }

    /// The RTP payload.
    #[must_use]
    pub fn payload(&self) -> &Arc<[u8]> {
        &self.payload
    }

    /// How long it lasts, in samples of 48 kHz: 120 to [`MAX_SAMPLES`](Self::MAX_SAMPLES) of Opus.
    #[must_use]
    pub fn samples(&self) -> u32 {
        self.samples
    }
}

/// The samples of 48 kHz in samples of two octets, each of which lasts as long as `each`.
fn l16_samples(payload: &[u8], each: u32) -> Option<u32> {
    let (samples, []) = payload.as_chunks::<2>() else {
        return None;
    };
    Some(u32::try_from(samples.len()).ok()? * each)
}

/// The samples of 48 kHz in a packet of Opus (RFC 6716 §3.1, §3.2). None if it is not one.
fn opus_samples(packet: &[u8]) -> Option<u32> {
    let (&toc, rest) = packet.split_first()?;
    let (configuration, code) = (toc >> 3, toc & 3);
    let frame = match configuration {
        // SILK
        0..=11 => [480, 960, 1_920, 2_880][usize::from(configuration & 3)],
        // Hybrid
        12..=15 => [480, 960][usize::from(configuration & 1)],
        // CELT
        _ => [120, 240, 480, 960][usize::from(configuration & 3)],
    };
    let frames = match code {
        0 => 1,
        // Two of the same size.
        1 if rest.len().is_multiple_of(2) => 2,
        // Two, the length of the first before them.
        2 if !rest.is_empty() => 2,
        3 => u32::from(rest.first()? & 0x3f),
        _ => return None,
    };
    (frames > 0).then_some(frame * frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(payload: &[u8]) -> Option<u32> {
        let packet = EncodedPacket::new(AudioCodec::Opus, payload);
        packet.ok().map(|packet| packet.samples())
    }

    #[test]
    fn rfc6716_3_1_duration_is_that_of_the_configuration_and_the_number_of_frames() {
        for (configuration, milliseconds) in [
            (0, 10),
            (1, 20),
            (2, 40),
            (3, 60),
            (11, 60),
            (12, 10),
            (13, 20),
            (14, 10),
            (18, 10),
            (31, 20),
        ] {
            let one = [configuration << 3, 0];
            assert_eq!(samples(&one), Some(48 * milliseconds), "{configuration}");
        }
        assert_eq!(
            (samples(&[16 << 3]), samples(&[17 << 3])),
            (Some(120), Some(240))
        );
        // Two of one size, two of different ones, six.
        assert_eq!(samples(&[31 << 3 | 1, 0, 0]), Some(1_920));
        assert_eq!(samples(&[31 << 3 | 2, 1, 0, 0]), Some(1_920));
        assert_eq!(samples(&[31 << 3 | 3, 6, 0]), Some(5_760));
    }

    #[test]
    fn rfc6716_3_4_what_is_no_packet_is_refused() {
        for bad in [
            &[][..],
            &[31 << 3 | 1, 0],
            &[31 << 3 | 2],
            &[31 << 3 | 3],
            &[31 << 3 | 3, 0],
            // 140 ms.
            &[31 << 3 | 3, 7],
            &[0; EncodedPacket::MAX_PAYLOAD + 1],
        ] {
            assert_eq!(samples(bad), None, "{:?}", &bad[..bad.len().min(4)]);
        }
    }

    #[test]
    fn rfc3551_4_5_14_octets_of_g711_are_samples_of_8_khz() {
        let packet = |octets| EncodedPacket::new(AudioCodec::Pcma, vec![0xd5; octets]);
        assert_eq!(packet(160).unwrap().samples(), 960);
        assert!(packet(961).is_err(), "longer than 120 ms");
        let samples = |codec, octets| {
            let packet = EncodedPacket::new(codec, vec![0; octets]);
            packet.ok().map(|packet| packet.samples())
        };
        assert_eq!(samples(AudioCodec::G722, 160), Some(960));
        assert_eq!(samples(AudioCodec::L16, 960), Some(480));
        assert_eq!(samples(AudioCodec::L16Wideband, 640), Some(960));
        assert_eq!(samples(AudioCodec::L16, 961), None, "half a sample");
    }
}
