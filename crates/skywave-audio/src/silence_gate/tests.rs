use super::*;
use crate::{
    EncodedFrame, Encoding, OpusComplexity, OpusOptions, PacketEncoder, Packetization, Ptime,
};

fn encoder(
    encoding: Encoding,
    ptime: Ptime,
    policy: SilencePolicy,
    hangover: u64,
) -> PacketEncoder {
    encoder_of(Packetization::new(encoding, ptime), policy, hangover)
}

fn encoder_of(packetization: Packetization, policy: SilencePolicy, hangover: u64) -> PacketEncoder {
    let options = OpusOptions {
        dtx: policy == SilencePolicy::Dtx,
        // Below it libopus 1.3 leaves nothing out.
        complexity: OpusComplexity::new(7).unwrap(),
        ..OpusOptions::default()
    };
    let mut encoder = PacketEncoder::new(packetization.settings(options)).unwrap();
    encoder.set_silence(policy, Duration::from_millis(hangover));
    encoder
}

/// What is sent of a second of noise, ten of silence, and a second of noise.
fn sent(encoder: &mut PacketEncoder, ptime: Ptime) -> Vec<EncodedFrame> {
    sent_with(encoder, ptime, |_| 0.0)
}

/// The same, with noise of that amplitude at each sample of the ten seconds.
fn sent_with(
    encoder: &mut PacketEncoder,
    ptime: Ptime,
    quiet: impl Fn(usize) -> f32,
) -> Vec<EncodedFrame> {
    let mut noise = 1_u32;
    let mut next = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise as f32 / u32::MAX as f32 - 0.5
    };
    let step = ptime.samples();
    let mut sent = Vec::new();
    for position in (0..12 * 48_000).step_by(step) {
        let loud = !(48_000..11 * 48_000).contains(&position);
        let pcm: Vec<_> = (0..step)
            .map(|_| [next() * if loud { 1.0 } else { quiet(position) }; 2])
            .collect();
        sent.extend(encoder.push(position as u64, &pcm).unwrap());
    }
    sent
}

fn in_silence(packet: &&EncodedFrame) -> bool {
    (48_000..11 * 48_000).contains(&packet.begin)
}

/// Every packet has the time of its samples, and the marker if none was sent just before.
fn assert_times_and_markers(sent: &[EncodedFrame], ptime: Ptime, clock_rate: u64) {
    let mut expected = 0;
    for packet in sent {
        let timestamp = packet.begin * clock_rate / 48_000;
        assert_eq!(u64::from(packet.timestamp), timestamp);
        let follows = packet.begin == expected && packet.begin > 0;
        assert_eq!(packet.marker, !follows, "at {}", packet.begin);
        expected = packet.begin + ptime.samples() as u64;
    }
}

#[test]
fn continuous_sends_everything_and_rfc3551_4_1_never_a_marker() {
    let policy = SilencePolicy::Continuous;
    for encoding in Encoding::PLAIN {
        let sent = sent(&mut encoder(encoding, Ptime::Ms20, policy, 0), Ptime::Ms20);
        assert_eq!(sent.len(), 600);
        assert!(sent.iter().all(|packet| !packet.marker));
    }
}

#[test]
fn stop_sends_no_silence_beyond_the_hangover_and_rfc3551_4_1_a_marker_behind_it() {
    for ptime in Ptime::ALL {
        for encoding in [Encoding::OPUS_STEREO, Encoding::Pcmu] {
            let sent = sent(
                &mut encoder(encoding, ptime, SilencePolicy::Stop, 240),
                ptime,
            );
            let silent = sent.iter().filter(in_silence).count();
            assert_eq!(silent, 240 * 48 / ptime.samples(), "{ptime:?}");
            let rate = encoding.codec().clock_rate();
            assert_times_and_markers(&sent, ptime, rate.into());
            let markers = sent.iter().filter(|packet| packet.marker);
            let begins: Vec<_> = markers.map(|packet| packet.begin).collect();
            let samples = ptime.samples() as u64;
            let loud = (11 * 48_000_u64).next_multiple_of(samples);
            assert_eq!(begins, [0, loud]);
        }
    }
}

#[test]
fn rfc6716_dtx_leaves_out_nearly_all_packets_of_silence() {
    for encoding in [Encoding::OPUS_MONO, Encoding::OPUS_STEREO] {
        let mut encoder = encoder(encoding, Ptime::Ms20, SilencePolicy::Dtx, 0);
        let sent = sent(&mut encoder, Ptime::Ms20);
        let silent = sent.iter().filter(in_silence).count();
        // 200 ms before it sets in, then one in 21: less than a twentieth.
        assert!((20..10 + 500 / 20).contains(&silent), "{silent}");
        assert!(sent.iter().all(|packet| packet.payload.len() > 2));
        assert_eq!(sent.len() - silent, 100);
        assert_times_and_markers(&sent, Ptime::Ms20, 48_000);
    }
}

fn described(encoding: Encoding, ptime: Ptime) -> Packetization {
    Packetization {
        comfort_noise: true,
        ..Packetization::new(encoding, ptime)
    }
}

fn noise(sent: &[EncodedFrame]) -> Vec<&EncodedFrame> {
    sent.iter().filter(|packet| packet.comfort_noise).collect()
}

#[test]
fn rfc3389_4_silence_that_is_stopped_is_described_at_its_beginning_and_now_and_then() {
    for ptime in Ptime::ALL {
        for encoding in [Encoding::Pcmu, Encoding::Pcma] {
            let packetization = described(encoding, ptime);
            let mut encoder = encoder_of(packetization, SilencePolicy::Stop, 240);
            let sent = sent(&mut encoder, ptime);
            assert_times_and_markers_around_noise(&sent);
            let noise = noise(&sent);
            let step = ptime.samples() as u64;
            let first = (48_000_u64).next_multiple_of(step) + (240 * 48) / step * step;
            let interval = 19_200_u64.next_multiple_of(step) as usize;
            let begins = noise.iter().map(|packet| packet.begin);
            assert!(
                begins.eq((first..11 * 48_000).step_by(interval)),
                "{ptime:?}"
            );
            assert!(noise.iter().all(|packet| packet.payload[..] == [127]));
            assert!(noise.iter().all(|packet| packet.audio_level == 127));
        }
    }
}

/// Times are exact, and of the packets of sound those have a marker that follow none or noise.
fn assert_times_and_markers_around_noise(sent: &[EncodedFrame]) {
    let mut after_sound = false;
    for packet in sent {
        assert_eq!(u64::from(packet.timestamp), packet.begin / 6);
        let expected = !packet.comfort_noise && !after_sound;
        assert_eq!(packet.marker, expected, "at {}", packet.begin);
        after_sound = !packet.comfort_noise;
    }
}

#[test]
fn rfc3389_3_1_level_of_the_noise_is_told_and_told_again_when_it_changes() {
    // The noise has -10.8 dBov, a thousandth of it 60 less, half of that another 6.
    let at = |amplitudes: [f32; 2]| {
        let packetization = described(Encoding::Pcmu, Ptime::Ms20);
        let mut encoder = encoder_of(packetization, SilencePolicy::Dtx, 200);
        let quiet = |position| amplitudes[usize::from(position >= 283_200)];
        let sent = sent_with(&mut encoder, Ptime::Ms20, quiet);
        assert_times_and_markers_around_noise(&sent);
        sent
    };
    let sent = at([0.001, 0.000_5]);
    let noise = noise(&sent);
    let levels: Vec<_> = noise
        .iter()
        .map(|packet| (packet.begin, &packet.payload[..]))
        .collect();
    let first = 48_000 + 200 * 48;
    assert_eq!(levels[0], (first, &[71][..]));
    assert_eq!(levels[1], (first + 19_200, &[71][..]));
    assert!(levels.contains(&(283_200, &[77][..])), "{levels:?}");
    assert_eq!(levels.len(), 12 + 13);
    let all = at([0.005, 0.004]);
    assert_eq!(all.len(), 600, "so loud it is no background");
}

#[test]
fn rfc3389_1_who_makes_no_noise_gets_all_of_it_in_dtx_and_nothing_when_it_stops() {
    let mut plain = encoder(Encoding::Pcmu, Ptime::Ms20, SilencePolicy::Stop, 240);
    assert!(noise(&sent(&mut plain, Ptime::Ms20)).is_empty());
    let packetization = described(Encoding::Pcmu, Ptime::Ms20);
    let mut always = encoder_of(packetization, SilencePolicy::Continuous, 0);
    let sent = sent(&mut always, Ptime::Ms20);
    assert_eq!((sent.len(), noise(&sent).len()), (600, 0));
}

#[test]
fn dtx_is_of_opus_only() {
    let mut encoder = encoder(Encoding::Pcma, Ptime::Ms20, SilencePolicy::Dtx, 0);
    assert_eq!(sent(&mut encoder, Ptime::Ms20).len(), 600);
}
