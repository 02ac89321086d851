//! The titles that Shoutcast and Icecast put into a stream (`icy-metaint`).

use std::io::{self, Read};

/// Takes out the metadata: after every `interval` octets of audio there is one
/// octet with its length in units of 16, then the metadata itself.
///
/// We never ask for it; some servers send it all the same.
pub(crate) struct IcyReader<R> {
    reader: R,
    interval: usize,
    left: usize,
}

impl<R: Read> IcyReader<R> {
    /// `interval` octets of audio, not zero, stand between metadata.
    pub(crate) fn new(reader: R, interval: usize) -> Self {
        Self {
            reader,
            interval,
            left: interval,
        }
    }
}

impl<R: Read> Read for IcyReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            let mut length = [0];
            self.reader.read_exact(&mut length)?;
            let mut metadata = [0; 16];
            for _ in 0..length[0] {
                self.reader.read_exact(&mut metadata)?;
            }
            self.left = self.interval;
        }
        let most = buffer.len().min(self.left);
        let count = self.reader.read(&mut buffer[..most])?;
        self.left -= count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_taken_out_however_the_stream_is_read() {
        let mut stream = Vec::new();
        for part in [b"abcde", b"fghij", b"klmno"] {
            stream.extend(part);
            stream.push(2);
            stream.extend([b'!'; 32]);
        }
        stream.extend(b"pq");
        for size in 1..20 {
            let mut reader = IcyReader::new(stream.as_slice(), 5);
            let mut audio: Vec<u8> = Vec::new();
            let mut buffer = vec![0; size];
            loop {
                let count = reader.read(&mut buffer).unwrap();
                if count == 0 {
                    break;
                }
                audio.extend(&buffer[..count]);
            }
            assert_eq!(audio, b"abcdefghijklmnopq");
        }
    }

    #[test]
    fn stream_that_ends_within_metadata_is_an_error() {
        let mut reader = IcyReader::new(&b"abc\x01zz"[..], 3);
        let mut audio = Vec::new();
        assert!(reader.read_to_end(&mut audio).is_err());
        assert_eq!(audio, b"abc");
    }
}
