//! The files of a list (M3U, PLS) or a folder.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::Error;

/// The audio files that `path` names: those in a folder, by name, or those in a
/// list (M3U or PLS, told by its name), as far as they are no URLs. Any other
/// file names itself.
///
/// Folders within a folder are left out, and so is what is not named like audio.
///
/// # Errors
/// [`Error::Read`], also for a list of more than 1 MiB, and
/// [`Error::EmptyPlaylist`].
pub fn playlist_files(path: impl AsRef<Path>) -> Result<Vec<PathBuf>, Error> {
    let path = path.as_ref();
    let read_error = |cause| Error::Read {
        path: path.into(),
        cause,
    };
    let files = if path.is_dir() {
        audio_files(path).map_err(read_error)?
    } else if has_extension(path, &LISTS) {
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = read_list(path).map_err(read_error)?;
        let entries = playlist_entries(&text);
        let entries = entries.iter().filter(|entry| !entry.contains("://"));
        entries.map(|entry| folder.join(entry)).collect()
    } else {
        vec![path.into()]
    };
    if files.is_empty() {
        return Err(Error::EmptyPlaylist);
    }
    Ok(files)
}

/// The paths and URLs in the text of an M3U or PLS list, as they are written.
#[must_use]
pub fn playlist_entries(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_pls = text
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("[playlist]");
    if is_pls {
        let file = |line: &str| {
            let (key, value) = line.split_once('=')?;
            let number = key
                .trim()
                .to_ascii_lowercase()
                .strip_prefix("file")?
                .to_owned();
            number.parse::<u32>().ok()?;
            Some(value.trim().to_owned())
        };
        lines.filter_map(file).collect()
    } else {
        let entries = lines.filter(|line| !line.starts_with('#'));
        entries.map(str::to_owned).collect()
    }
}

fn read_list(path: &Path) -> io::Result<String> {
    let mut octets = Vec::new();
    File::open(path)?
        .take(MAX_LIST_OCTETS + 1)
        .read_to_end(&mut octets)?;
    if octets.len() as u64 > MAX_LIST_OCTETS {
        let problem = "a list of more than 1 MiB";
        return Err(io::Error::new(ErrorKind::InvalidData, problem));
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

fn audio_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if has_extension(&path, &AUDIO) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.iter().any(|e| e.eq_ignore_ascii_case(extension)))
}

const LISTS: [&str; 3] = ["m3u", "m3u8", "pls"];
const AUDIO: [&str; 18] = [
    "aac", "aif", "aifc", "aiff", "flac", "m4a", "m4b", "mka", "mkv", "mp2", "mp3", "mp4", "oga",
    "ogg", "opus", "wav", "weba", "webm",
];
const MAX_LIST_OCTETS: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3u_and_pls_give_their_entries() {
        let m3u = "\u{feff}#EXTM3U\r\n#EXTINF:12,A\r\n a b.mp3 \r\n\r\nhttp://radio.example/x\r\n";
        assert_eq!(playlist_entries(m3u), ["a b.mp3", "http://radio.example/x"]);
        let pls = "[playlist]\nFile1=one.ogg\nTitle1=One\nLength1=-1\nfile2 = two=2.ogg\nFilex=3";
        assert_eq!(playlist_entries(pls), ["one.ogg", "two=2.ogg"]);
        assert!(playlist_entries("").is_empty());
    }

    #[test]
    fn folder_gives_its_audio_files_by_name() {
        let folder = std::env::temp_dir().join(format!("skywave-{}-folder", std::process::id()));
        fs::create_dir_all(folder.join("sub.mp3")).unwrap();
        for name in ["b.MP3", "a.wav", "cover.jpg", "list.m3u"] {
            fs::write(folder.join(name), "a.wav\n/c.ogg\nhttp://x/y.mp3\n").unwrap();
        }
        let files = playlist_files(&folder).unwrap();
        assert_eq!(files, [folder.join("a.wav"), folder.join("b.MP3")]);
        let listed = playlist_files(folder.join("list.m3u")).unwrap();
        assert_eq!(listed, [folder.join("a.wav"), "/c.ogg".into()]);
        let itself = folder.join("a.wav");
        assert_eq!(playlist_files(&itself).unwrap(), [itself]);
        fs::write(folder.join("none.pls"), "[playlist]\n").unwrap();
        assert!(matches!(
            playlist_files(folder.join("none.pls")),
            Err(Error::EmptyPlaylist)
        ));
        fs::remove_dir_all(&folder).unwrap();
    }
}
