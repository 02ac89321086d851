//! The captured input and the known-bad files through the fuzz targets, without libFuzzer.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn captured_offers_are_answered_and_answers_accepted() {
    let (answers, others): (Vec<_>, Vec<_>) = files(SDP)
        .into_iter()
        .partition(|path| path.to_string_lossy().ends_with("_answer.sdp"));
    assert_eq!(
        refused(skywave_fuzz::sdp_offer, others),
        ["aiortc_sendonly.sdp"]
    );
    assert_eq!(refused(skywave_fuzz::sdp_answer, answers), [""; 0]);
}

#[test]
fn captured_stun_is_read() {
    let captured = files(STUN);
    assert_eq!(
        refused(skywave_fuzz::stun, captured),
        [
            "hostile-attribute-after-fingerprint.bin",
            "hostile-attribute-past-the-end.bin"
        ]
    );
}

#[test]
fn captured_packets_are_read() {
    for (target, name) in PACKETS.into_iter().chain(CALLS) {
        let seeds = files(&format!("seeds/{name}"));
        assert!(!seeds.is_empty(), "{name}");
        assert_eq!(refused(target, seeds), [""; 0], "{name}");
    }
}

#[test]
fn known_bad_input_breaks_nothing() {
    assert!(!files("known_bad/sdp_offer").is_empty());
    for (target, name) in TEXTS.into_iter().chain(PACKETS).chain(CALLS) {
        for path in files(&format!("known_bad/{name}")) {
            target(&read(&path));
        }
    }
}

/// Every captured description cut at every octet, and with every octet replaced in turn.
#[test]
fn damaged_descriptions_break_nothing() {
    for (target, _) in TEXTS {
        for path in files(SDP) {
            damage(target, &read(&path), &TEXT_DAMAGE, 1);
        }
    }
}

/// The same for packets.
#[test]
fn damaged_packets_break_nothing() {
    for path in files(STUN) {
        damage(skywave_fuzz::stun, &read(&path), &PACKET_DAMAGE, 1);
    }
    for (target, name) in PACKETS {
        for path in files(&format!("seeds/{name}")) {
            damage(target, &read(&path), &PACKET_DAMAGE, 1);
        }
    }
}

/// The same for steps of calls, here and there.
#[test]
fn damaged_calls_break_nothing() {
    for (target, name) in CALLS {
        for path in files(&format!("seeds/{name}")) {
            damage(target, &read(&path), &PACKET_DAMAGE, CALL_STRIDE);
        }
    }
}

fn damage(target: Target, whole: &[u8], octets: &[u8], stride: usize) {
    for index in (0..whole.len()).step_by(stride) {
        target(&whole[..index]);
        let mut damaged = whole.to_vec();
        damaged[index] = octets[index % octets.len()];
        target(&damaged);
    }
}

/// The names of the files that a target finds no good.
fn refused(target: Target, paths: Vec<PathBuf>) -> Vec<String> {
    let refused = paths.iter().filter(|path| !target(&read(path)));
    refused
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect()
}

/// The inputs in a folder of this package, in the order of their names; none if there is no such
/// folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).into_iter().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "md"))
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

type Target = fn(&[u8]) -> bool;

const SDP: &str = "../crates/skywave-sdp/testdata";
const STUN: &str = "../crates/skywave-ice/tests/data";
const TEXTS: [(Target, &str); 2] = [
    (skywave_fuzz::sdp_answer, "sdp_answer"),
    (skywave_fuzz::sdp_offer, "sdp_offer"),
];
/// Which negotiate or shake hands: a thousand times the work of a packet.
const CALLS: [(Target, &str); 3] = [
    (skywave_fuzz::dtls_record, "dtls_record"),
    (skywave_fuzz::http_body, "http_body"),
    (skywave_fuzz::peer_datagram, "peer_datagram"),
];
const PACKETS: [(Target, &str); 6] = [
    (skywave_fuzz::header_extensions, "header_extensions"),
    (skywave_fuzz::red, "red"),
    (skywave_fuzz::rtcp, "rtcp"),
    (skywave_fuzz::rtp_packet, "rtp_packet"),
    (skywave_fuzz::srtp_session, "srtp_session"),
    (skywave_fuzz::srtp_unprotect, "srtp_unprotect"),
];
/// What ends or splits a line, a number, and what is not UTF-8.
const TEXT_DAMAGE: [u8; 5] = [b'\n', b' ', b':', b'9', 0xff];
/// Of octets, of which one is damaged.
const CALL_STRIDE: usize = 41;
/// No length, the longest, and those about a half.
const PACKET_DAMAGE: [u8; 5] = [0, 0xff, 0x80, 0x7f, 1];
