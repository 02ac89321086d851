//! What is sent of silence.

use skywave_audio::{OpusComplexity, OpusOptions, SilencePolicy};

use super::*;

/// What a listener gets of two seconds of sound, a minute without a source, and two seconds of
/// sound.
fn sent(silence: SilencePolicy, listener: Packetization) -> (Stage, Vec<Delivery>) {
    let mut stage = Stage::with(TrackConfig {
        ptime: listener.ptime,
        silence,
        // Below it libopus 1.3 leaves nothing out.
        opus: OpusOptions {
            complexity: OpusComplexity::new(7).unwrap(),
            ..OpusOptions::default()
        },
        ..TrackConfig::default()
    });
    stage.shared.join(0, listener);
    stage.play_until(2_000, PUNCTUAL);
    stage.shared.mailbox.put(None);
    stage.play_until(62_000, PUNCTUAL);
    stage.shared.mailbox.put(Some(Box::new(Staircase(0))));
    stage.play_until(64_000, PUNCTUAL);
    let sent = stage.sent(listener).into_iter().cloned().collect();
    (stage, sent)
}

fn in_silence(delivery: &&Delivery) -> bool {
    (2_000 * 48..62_000 * 48).contains(&delivery.frame.begin)
}

/// Payload octets, with the headers that they cost on a path of IPv4.
fn octets(sent: &[Delivery], of: impl Fn(&&Delivery) -> bool) -> usize {
    let packet = |delivery: &Delivery| delivery.frame.payload.len() + 20 + 8 + 12 + 16;
    sent.iter().filter(of).map(packet).sum()
}

#[test]
fn listener_of_silence_costs_less_than_a_twentieth_unless_everything_is_sent() {
    let stereo = of(Encoding::OPUS_STEREO, Ptime::Ms20);
    for (policy, most) in [(SilencePolicy::Stop, 1), (SilencePolicy::Dtx, 50)] {
        let (_, sent) = sent(policy, stereo);
        let idle = sent.iter().filter(in_silence).count();
        // Packets of a minute, of which there are 3,000: less what went on for 200 ms.
        assert!(idle >= 10 && (idle - 10) * 1_000 < 3_000 * most, "{idle}");
        let active = octets(&sent, |delivery| !in_silence(delivery)) * 15;
        assert!(octets(&sent, in_silence) * 20 < active);
    }
    let (_, sent) = sent(SilencePolicy::Continuous, stereo);
    assert_eq!(sent.iter().filter(in_silence).count(), 3_000);
}

#[test]
fn rfc3551_4_1_time_runs_on_in_a_pause_and_the_next_packet_is_marked() {
    let encodings = [
        Encoding::OPUS_MONO,
        Encoding::OPUS_STEREO,
        Encoding::Pcmu,
        Encoding::Pcma,
    ];
    let lengths = |encoding| Ptime::ALL.map(|ptime| of(encoding, ptime));
    for listener in encodings.into_iter().flat_map(lengths) {
        let (stage, sent) = sent(SilencePolicy::Stop, listener);
        let ptime = listener.ptime;
        let rate = u64::from(listener.encoding.codec().clock_rate());
        let samples = ptime.samples() as u64;
        let mut next = None;
        for delivery in &sent {
            let begin = delivery.frame.begin;
            assert_eq!(u64::from(delivery.frame.timestamp), begin * rate / 48_000);
            let captured = stage.start + Duration::from_micros(begin * 125 / 6);
            assert!(delivery.captured - captured < Duration::from_micros(1));
            assert_eq!(delivery.frame.marker, next != Some(begin), "{listener:?}");
            next = Some(begin + samples);
        }
        let marked = sent.iter().filter(|delivery| delivery.frame.marker);
        let marked: Vec<u64> = marked.map(|delivery| delivery.frame.begin).collect();
        // The packet in which the sound sets in again.
        assert_eq!(marked, [0, 62_000 * 48 / samples * samples]);
    }
}

#[test]
fn nothing_is_encoded_in_a_pause_but_the_encoder_stays() {
    let (stage, _) = sent(SilencePolicy::Stop, of(Encoding::OPUS_MONO, Ptime::Ms20));
    let counters = &stage.shared.counters;
    assert_eq!(counters.encodings.load(Relaxed), 1);
    assert_eq!(counters.frames.load(Relaxed), 3_200);
    assert_eq!(counters.underrun_samples.load(Relaxed), 0);
}
