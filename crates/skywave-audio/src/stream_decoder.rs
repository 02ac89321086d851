//! Decoding of an encoded stream that cannot be rewound, such as a pipe or the
//! body of an HTTP response.

use std::io::Read;
use std::path::Path;

use symphonia::core::io::ReadOnlySource;

use crate::decoder::Decoder;
use crate::{Error, PcmConverter};

/// Decodes an encoded stream to 48 kHz stereo: MP3, AAC (ADTS), Ogg, WebM, FLAC, WAV
/// and what else a [`FileSource`](crate::FileSource) plays, as far as it can be
/// read in one go.
///
/// It blocks as its reader does: call it on a thread of its own, which sends what
/// it gives to a source through a bounded queue.
pub struct StreamDecoder {
    decoder: Decoder,
    converter: PcmConverter,
    decoded: Vec<[f32; 2]>,
}

impl StreamDecoder {
    /// Reads until the format is known.
    ///
    /// Errors call the stream `name`; `extension`, as in file names (`mp3`), is
    /// a hint at the format.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::NotAudio`], [`Error::Unsupported`] or
    /// [`Error::Damaged`] with the name.
    pub fn new(
        name: impl AsRef<Path>,
        extension: Option<&str>,
        reader: impl Read + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let media = Box::new(ReadOnlySource::new(reader));
        Ok(Self {
            decoder: Decoder::new(name.as_ref(), extension, media)?,
            converter: PcmConverter::default(),
            decoded: Vec::new(),
        })
    }

    /// Appends the samples of the next packet, if any are ready; false at the
    /// end of the stream. A broken packet is counted and gives none.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the stream goes on in a way that cannot be
    /// played, [`Error::Resampler`].
    pub fn decode(&mut self, pcm: &mut Vec<[f32; 2]>) -> Result<bool, Error> {
        self.decoded.clear();
        match self.decoder.decode_next(&mut self.decoded)? {
            Some(rate) => self.converter.convert_stereo(&self.decoded, rate, pcm)?,
            None => {
                self.converter.flush(pcm)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Packets that could not be decoded so far.
    pub fn damaged_packets(&self) -> u64 {
        self.decoder.damaged()
    }

    /// Why the stream ended before its end, if it did.
    pub fn fault(&self) -> Option<&str> {
        self.decoder.fault()
    }
}

impl std::fmt::Debug for StreamDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamDecoder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goertzel::amplitude;

    #[test]
    fn formats_are_decoded_without_seeking_whatever_their_name() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
        for name in [
            "mono_8k.wav",
            "stereo_44k1.flac",
            "mono_22k05.mp3",
            "stereo_44k1.ogg",
            "stereo.opus",
            "mono_16k.aac",
            "stereo_60ms.webm",
            "live.webm",
            "stereo_44k1.mkv",
        ] {
            let octets = std::fs::read(folder.join(name)).unwrap();
            let reader = std::io::Cursor::new(octets);
            let mut decoder = StreamDecoder::new("http://radio.example/", None, reader).unwrap();
            let mut pcm = Vec::new();
            while decoder.decode(&mut pcm).unwrap() {}
            let left: Vec<f32> = pcm.iter().map(|sample| sample[0]).collect();
            let level = amplitude(&left, 440.0);
            assert!(level > 0.07, "{name}: {level}");
            assert_eq!(decoder.damaged_packets(), 0, "{name}");
            assert_eq!(decoder.fault(), None, "{name}");
        }
    }
}
