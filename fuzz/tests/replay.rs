//! The captured input and the known-bad files through the fuzz targets, on stable Rust.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn captured_offers_are_answered() {
    let (answers, others): (Vec<_>, Vec<_>) = captured()
        .into_iter()
        .partition(|path| path.to_string_lossy().ends_with("_answer.sdp"));
    let unanswered: Vec<_> = others
        .iter()
        .filter(|path| !skywave_fuzz::sdp_offer(&read(path)))
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert_eq!(unanswered, ["aiortc_sendonly.sdp"]);
    for path in answers {
        skywave_fuzz::sdp_offer(&read(&path));
    }
}

#[test]
fn known_bad_offers_break_nothing() {
    let offers = files("known_bad/sdp_offer");
    assert!(!offers.is_empty());
    for path in offers {
        skywave_fuzz::sdp_offer(&read(&path));
    }
}

/// Every captured description cut at every octet, and with every octet replaced in turn.
#[test]
fn damaged_offers_break_nothing() {
    for path in captured() {
        let offer = read(&path);
        for index in 0..offer.len() {
            skywave_fuzz::sdp_offer(&offer[..index]);
            let mut damaged = offer.clone();
            damaged[index] = DAMAGE[index % DAMAGE.len()];
            skywave_fuzz::sdp_offer(&damaged);
        }
    }
}

fn captured() -> Vec<PathBuf> {
    let mut paths = files("../crates/skywave-sdp/testdata");
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sdp"));
    paths
}

/// The files of a folder of this package, in the order of their names.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What ends or splits a line, a number, and what is not UTF-8.
const DAMAGE: [u8; 5] = [b'\n', b' ', b':', b'9', 0xff];
