//! Decoding of a file, over and over.

use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;
use crate::decoder::Decoder;

/// One pass after the other through an audio file.
pub(crate) struct FileDecoder {
    path: PathBuf,
    file: File,
    decoder: Decoder,
}

impl FileDecoder {
    /// Opens the file and finds its first audio track.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = open_file(path)?;
        let decoder = decode_from_start(path, &file)?;
        Ok(Self {
            path: path.into(),
            file,
            decoder,
        })
    }

    /// Goes back to the start. The whole file is opened anew, which loops every
    /// format exactly, where seeking would not.
    pub(crate) fn rewind(&mut self) -> Result<(), Error> {
        self.decoder = decode_from_start(&self.path, &self.file)?;
        Ok(())
    }

    /// Goes to `position` from the beginning of the file. Where the format
    /// cannot seek, all that lies before is decoded.
    pub(crate) fn seek(&mut self, position: Duration) -> Result<(), Error> {
        if position.is_zero() {
            return self.rewind();
        }
        if !self.decoder.seek(position)? {
            self.rewind()?;
            self.decoder.leave_out(position);
        }
        Ok(())
    }

    /// As [`Decoder::decode_next`].
    pub(crate) fn decode_next(&mut self, pcm: &mut Vec<[f32; 2]>) -> Result<Option<u32>, Error> {
        self.decoder.decode_next(pcm)
    }

    /// The pass under way.
    pub(crate) fn pass(&self) -> &Decoder {
        &self.decoder
    }
}

/// Opens a file that can be read from beginning to end, and again.
pub(crate) fn open_file(path: &Path) -> Result<File, Error> {
    let read_error = |cause| Error::Read {
        path: path.into(),
        cause,
    };
    // A pipe would block for ever in open.
    let metadata = path.metadata().map_err(read_error)?;
    if !metadata.is_file() {
        let cause = std::io::Error::new(ErrorKind::InvalidInput, "not a regular file");
        return Err(read_error(cause));
    }
    if metadata.len() == 0 {
        return Err(Error::Empty { path: path.into() });
    }
    File::open(path).map_err(read_error)
}

fn decode_from_start(path: &Path, file: &File) -> Result<Decoder, Error> {
    let read_error = |cause| Error::Read {
        path: path.into(),
        cause,
    };
    let mut file = file.try_clone().map_err(read_error)?;
    file.seek(SeekFrom::Start(0)).map_err(read_error)?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    Decoder::new(path, extension, Box::new(file))
}
