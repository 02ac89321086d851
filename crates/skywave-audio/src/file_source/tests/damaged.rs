//! Files that are cut, damaged, of no format known here, or not there.

use super::*;

/// What open says of a file with this content.
fn refusal(name: &str, content: &[u8]) -> Error {
    let path = std::env::temp_dir().join(format!("skywave-{}-{name}", std::process::id()));
    fs::write(&path, content).unwrap();
    let error = FileSource::open(&path).unwrap_err();
    fs::remove_file(&path).unwrap();
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    error
}

/// Octets without a pattern, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn what_is_no_audio_file_is_refused_with_path_and_reason() {
    assert!(matches!(refusal("empty.wav", b""), Error::Empty { .. }));
    assert!(matches!(
        refusal("text.txt", &b"Dear listener,\n".repeat(500)),
        Error::NotAudio { .. }
    ));
    assert!(matches!(
        refusal("noise.mp3", &noise(20_000)),
        Error::NotAudio { .. }
    ));
    let wav = fs::read(testdata("mono_8k.wav")).unwrap();
    let opus = fs::read(testdata("stereo.opus")).unwrap();
    assert!(matches!(
        refusal("cut.wav", &wav[..30]),
        Error::NotAudio { .. }
    ));
    assert!(matches!(
        refusal("cut.opus", &opus[..100]),
        Error::NotAudio { .. }
    ));
    // Headers alone: one that promises audio, one that does not.
    assert!(matches!(
        refusal("promise.wav", &wav[..44]),
        Error::Damaged { .. }
    ));
    let mut silent = wav[..44].to_vec();
    silent[4..8].copy_from_slice(&36_u32.to_le_bytes());
    silent[40..44].fill(0);
    assert!(matches!(
        refusal("silent.wav", &silent),
        Error::Empty { .. }
    ));
}

#[test]
fn missing_file_and_directory_are_refused() {
    let missing = FileSource::open("/nowhere/tune.flac").unwrap_err();
    assert!(missing.to_string().starts_with("/nowhere/tune.flac: "));
    assert!(matches!(
        FileSource::open("/").unwrap_err(),
        Error::Read { .. }
    ));
}

#[test]
fn unsupported_codec_and_rate_are_named() {
    let mut wav = fs::read(testdata("mono_8k.wav")).unwrap();
    wav[24..28].copy_from_slice(&50_u32.to_le_bytes());
    let error = refusal("slow.wav", &wav);
    assert!(
        error
            .to_string()
            .ends_with("a sample rate of 50 Hz is not supported"),
        "{error}"
    );
    // 255 is the mapping family of channels without meaning (RFC 7845 §5.1.1.3).
    let mut opus = fs::read(testdata("stereo.opus")).unwrap();
    let head = opus
        .windows(8)
        .position(|octets| octets == b"OpusHead")
        .unwrap();
    opus[head + 18] = 255;
    refusal("discrete.opus", &opus);
}

#[test]
fn file_cut_short_is_played_as_far_as_it_goes() {
    for name in ["mono_8k.wav", "mono_22k05.mp3"] {
        let whole = fs::read(testdata(name)).unwrap();
        let path = std::env::temp_dir().join(format!("skywave-{}-cut-{name}", std::process::id()));
        fs::write(&path, &whole[..whole.len() * 3 / 4]).unwrap();
        let mut source = FileSource::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        // It loops even though its name is gone.
        let pcm = channel(&collect(&mut source, 96_000), 0);
        assert!(amplitude(&pcm[..9_600], 440.0) > 0.08, "{name}");
    }
}

#[test]
fn damaged_packet_is_left_out_and_counted() {
    let mut aac = fs::read(testdata("mono_16k.aac")).unwrap();
    // The third frame, but for its header (ISO/IEC 14496-3 §1.A.2.2).
    let length = |at: usize| {
        let [a, b, c] = [aac[at + 3], aac[at + 4], aac[at + 5]].map(usize::from);
        (a & 3) << 11 | b << 3 | c >> 5
    };
    let third = length(0) + length(length(0));
    let end = third + length(third);
    aac[third + 7..end].fill(0x4f);
    let (pcm, control) = play_to_end(open_content("damaged.aac", &aac, Repeat::ONCE));
    let whole = SAMPLES
        .iter()
        .find(|file| file.0 == "mono_16k.aac")
        .unwrap();
    assert_eq!(pcm.len() as u64, (whole.1 - 1_024) * 3);
    assert_eq!(control.damaged_packets(), 1);
    assert!(control.failure().is_none());
}

#[test]
fn file_that_breaks_off_says_so_at_its_end() {
    let whole = fs::read(testdata("s24_44k1.wav")).unwrap();
    let source = open_content("off.wav", &whole[..whole.len() * 3 / 4], Repeat::ONCE);
    let (pcm, control) = play_to_end(source);
    assert!(pcm.len() > 2_400);
    let failure = control.failure().unwrap().to_string();
    assert!(failure.contains("off.wav: damaged: "), "{failure}");
}

#[test]
fn sizes_that_cannot_be_take_no_memory_and_end_in_an_error_or_in_audio() {
    let mut wav = wav((0..4_800).map(|n| n as i16));
    // As a program writes it that cannot know yet.
    wav[4..8].fill(0xff);
    wav[40..44].fill(0xff);
    let (pcm, _) = play_to_end(open_content("endless.wav", &wav, Repeat::ONCE));
    assert_eq!(pcm.len(), 4_800);
    let m4a = fs::read(testdata("stereo_44k1.m4a")).unwrap();
    for atom in [
        b"stsz", b"stts", b"stco", b"stsc", b"mdat", b"moov", b"stsd",
    ] {
        let place = m4a.windows(4).position(|octets| octets == atom).unwrap();
        for offset in [-4_isize, 8, 12] {
            let mut m4a = m4a.clone();
            let at = place.checked_add_signed(offset).unwrap();
            m4a[at..at + 4].fill(0xff);
            let path =
                std::env::temp_dir().join(format!("skywave-{}-bogus.m4a", std::process::id()));
            fs::write(&path, &m4a).unwrap();
            if let Ok(source) = FileSource::open_at(&path, Duration::ZERO, Repeat::ONCE) {
                assert!(play_to_end(source).0.len() < 50_000);
            }
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn damaged_content_never_panics_in_the_caller() {
    for name in [
        "mono_16k.aac",
        "stereo_44k1.m4a",
        "alac_22k05.m4a",
        "adpcm_22k05.wav",
        "stereo_44k1.flac",
        "mono_22k05.mp3",
        "stereo_44k1.ogg",
        "surround.opus",
        "stereo_60ms.webm",
        "stereo_44k1.mkv",
    ] {
        let whole = fs::read(testdata(name)).unwrap();
        let path = std::env::temp_dir().join(format!("skywave-{}-bad-{name}", std::process::id()));
        for round in 0..20 {
            let mut damaged = whole.clone();
            for pair in noise(4_000)[round * 16..].chunks_exact(3).take(8) {
                let place = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
                damaged[place % whole.len()] ^= pair[2];
            }
            fs::write(&path, &damaged).unwrap();
            if let Ok(mut source) = FileSource::open(&path) {
                let mut pcm = [[0.0; 2]; 4_800];
                source.read(&mut pcm);
            }
        }
        fs::remove_file(&path).unwrap();
    }
}
