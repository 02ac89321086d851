use std::io::{Cursor, repeat};

use symphonia::core::io::ReadOnlySource;

use super::*;

const LIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/live.webm");

/// A stream that begins like this and then gives far more than anything needs.
fn probe(beginning: Vec<u8>) -> Result<Container, Error> {
    let stream = Cursor::new(beginning).chain(repeat(b'a').take(3 * MAX_UNPACKED));
    let media = Box::new(ReadOnlySource::new(stream));
    Container::probe(Path::new("stream"), None, media)
}

#[test]
fn element_that_is_too_long_is_not_read_whole() {
    // RFC 9559 §5.1.3.5.3: a SimpleBlock of 1 TiB, in a cluster of unknown length.
    let mut octets = std::fs::read(LIVE).unwrap();
    octets.extend(b"\x1f\x43\xb6\x75\xff\xe7\x81\x00\xa3\x01\x00\x01\x00\x00\x00\x00\x00");
    let mut container = probe(octets).unwrap();
    let track = container.audio_track().unwrap().id;
    let mut packets = 0;
    let error = loop {
        match container.next_packet(track) {
            Ok(Some(_)) => packets += 1,
            Ok(None) => panic!("it was read to its end"),
            Err(error) => break error,
        }
    };
    assert_eq!(packets, 26);
    assert!(
        error.to_string().contains("64 MiB without a packet"),
        "{error}"
    );
}

#[test]
fn head_that_is_too_long_is_not_read_whole() {
    // RFC 8794 §11.2.4: a DocType of nearly 1 TiB.
    let mut octets = b"\x1a\x45\xdf\xa3\x01\x00\x01\x00\x00\x00\x00\x00".to_vec();
    octets.extend(b"\x42\x82\x01\x00\x00\xff\x00\x00\x00\x00");
    assert!(matches!(probe(octets), Err(Error::Read { .. })));
}

#[test]
fn long_stream_of_packets_is_read_to_its_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut head = std::fs::read(folder.join("mono_8k.wav")).unwrap();
    // What is not known yet is as long as can be.
    let data = head.windows(4).position(|name| name == b"data").unwrap();
    head[4..8].fill(0xff);
    head[data + 4..data + 8].fill(0xff);
    let mut container = probe(head).unwrap();
    let track = container.audio_track().unwrap().id;
    let mut octets = 0;
    while let Ok(Some(packet)) = container.next_packet(track) {
        octets += packet.data.len() as u64;
    }
    assert!(octets >= 3 * MAX_UNPACKED, "{octets}");
}

/// How much audio there is, in nanoseconds, and whether the end is missing; None of what cannot be
/// opened. The same of a file as of a stream.
fn heard(octets: &[u8]) -> Option<(i128, bool)> {
    let file = Cursor::new(octets.to_vec());
    let stream = Box::new(ReadOnlySource::new(file.clone()));
    let heard = heard_of(Box::new(file));
    assert_eq!(heard, heard_of(stream));
    heard
}

fn heard_of(media: Box<dyn MediaSource>) -> Option<(i128, bool)> {
    let mut container = Container::probe(Path::new("file"), None, media).ok()?;
    let track = container.audio_track()?;
    let (id, base) = (track.id, track.time_base?);
    let mut end = 0;
    while let Ok(Some(packet)) = container.next_packet(id) {
        end = i128::from(packet.pts.get()) + i128::from(packet.dur.get());
    }
    Some((nanoseconds(end, base), container.is_cut()))
}

#[test]
fn rfc9559_whole_file_is_not_cut_and_what_lacks_audio_is() {
    let files = [
        "stereo_60ms.webm",
        "stereo_44k1.mkv",
        "gstreamer.webm",
        // The last picture begins at two seconds, and is shown for two.
        "slides.webm",
        // From the beginning to far behind the audio.
        "caption.webm",
    ];
    for name in files {
        let octets = testdata(name);
        let (whole, is_cut) = heard(&octets).unwrap();
        assert!(!is_cut, "{name}");
        let (mut missed, mut complete) = (0, 0);
        for len in (0..octets.len()).step_by(7) {
            let Some((part, is_cut)) = heard(&octets[..len]) else {
                continue;
            };
            if whole - part > LONGEST_PACKET {
                assert!(is_cut, "{name} of {len} octets");
                missed += 1;
            } else if part == whole {
                assert!(!is_cut, "{name} of {len} octets");
                complete += 1;
            }
        }
        assert!(missed > 50, "{name}: {missed}");
        assert!(complete > 0, "{name}");
    }
}

/// As FFmpeg writes it to a pipe: with a duration, and a Segment of unknown length.
#[test]
fn rfc9559_file_from_a_pipe_is_judged_by_its_duration() {
    for name in ["stereo_60ms.webm", "caption.webm"] {
        let mut octets = testdata(name);
        let segment = octets.windows(4).position(|four| four == SEGMENT).unwrap();
        octets[segment + 4..][..8].copy_from_slice(&[0x01, 255, 255, 255, 255, 255, 255, 255]);
        let (whole, is_cut) = heard(&octets).unwrap();
        assert!(!is_cut, "{name}");
        let parts = (0..octets.len()).step_by(50);
        let missed = parts
            .filter_map(|len| heard(&octets[..len]))
            .filter(|(part, _)| whole - part > LONGEST_PACKET);
        let cut: Vec<bool> = missed.map(|(_, is_cut)| is_cut).collect();
        assert!(!cut.is_empty() && cut.iter().all(|&cut| cut), "{name}");
    }
}

/// What a picture or a caption outlasts is whole without statistics too, unless octets are missing.
#[test]
fn rfc9559_audio_that_is_shorter_than_its_file_is_not_cut() {
    for name in ["slides.webm", "caption.webm"] {
        let mut octets = testdata(name);
        let tags: Vec<_> = (0..octets.len() - 8)
            .filter(|&at| octets[at..].starts_with(b"DURATION"))
            .collect();
        assert_eq!(tags.len(), 2, "{name}");
        tags.iter().for_each(|&at| octets[at] = b'X');
        assert!(!heard(&octets).unwrap().1, "{name}");
        octets.pop();
        assert!(heard(&octets).unwrap().1, "{name}");
    }
}

/// In clusters of unknown length, without a duration.
#[test]
fn rfc9559_live_recording_ends_wherever_it_ends() {
    for name in ["live.webm", "gstreamer_live.webm"] {
        let octets = testdata(name);
        let (whole, _) = heard(&octets).unwrap();
        let mut shorter = 0;
        for len in (0..=octets.len()).step_by(7) {
            if let Some((part, is_cut)) = heard(&octets[..len]) {
                assert!(!is_cut, "{name} of {len} octets");
                shorter += usize::from(part < whole);
            }
        }
        assert!(shorter > 50, "{name}: {shorter}");
    }
}

fn testdata(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    std::fs::read(folder.join(name)).unwrap()
}
