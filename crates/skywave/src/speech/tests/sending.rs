//! What is sent, and when it stops.

use skywave_audio::PcmConverter;

use super::*;

#[test]
fn what_is_pushed_at_once_leaves_sample_by_sample_in_its_time() {
    let mut stage = Stage::new();
    let speech = hum(60 * 48_000);
    stage.push(&speech);
    stage.finish();
    stage.read(60 * 50);
    assert!(stage.heard == speech);
    assert_eq!(stage.position(), (2_880_000, 2_880_000, 0));
    let sent = 2_880_000;
    let events = [SpeechEvent::Started, SpeechEvent::Finished { sent }];
    assert_eq!(stage.events(), events);
}

#[test]
fn steps_of_any_length_give_the_same() {
    let mut stage = Stage::new();
    let speech = hum(20_000);
    for piece in speech.chunks(777) {
        stage.push(piece);
    }
    stage.finish();
    for step in [1, 119, 480, 960, 1_920, 2_880, 0, 5_000, 10_000] {
        stage.read_samples(step);
    }
    assert_eq!(stage.heard[..20_000], speech);
    assert!(stage.heard[20_240..].iter().all(|&value| value == 0.0));
}

#[test]
fn pieces_of_any_length_give_the_same_packets() {
    let speech: Vec<i16> = hum(48_000).iter().map(|v| (v * 20_000.0) as i16).collect();
    let (mut converter, mut whole) = (PcmConverter::new(), Vec::new());
    converter.convert(&speech, 24_000, 1, &mut whole).unwrap();
    converter.flush(&mut whole).unwrap();
    // 2.5, 10, 23.2, 40 and 125 ms, each pushed as late as that.
    for piece in [60, 240, 557, 960, 3_000] {
        let mut stage = Stage::new();
        for piece in speech.chunks(piece) {
            done(stage.queue.push(piece, 24_000, 1)).unwrap();
            while stage.queue.position().queued() > 1_200 {
                stage.read(1);
            }
        }
        stage.finish();
        stage.read(3);
        assert!(stage.heard.len() > 96_000, "{piece}");
        let same = stage.heard.iter().zip(&whole).all(|(a, b)| *a == b[0]);
        assert!(same, "{piece}");
        let sent = 96_000;
        let events = [SpeechEvent::Started, SpeechEvent::Finished { sent }];
        assert_eq!(stage.events(), events);
    }
}

#[test]
fn clear_fades_out_in_the_packet_now_due_and_the_next_utterance_begins_there() {
    let mut stage = Stage::new();
    stage.push(&hum(48_000));
    stage.read(5);
    stage.queue.clear();
    // What is pushed next starts with a sample of its own.
    stage.push(&[0.25; 960]);
    let packet = stage.read(1).to_vec();
    assert!(packet[240..].iter().all(|&value| value == 0.25));
    assert!(largest_step(&packet[..240]) < NO_CLICK);
    assert!(packet[239].abs() < 0.000_1);
    assert_eq!(stage.position(), (48_960, 4_800 + 240 + 720, 42_960));
    let interrupted = SpeechEvent::Interrupted {
        sent: 5_040,
        discarded: 42_960,
    };
    let events = [SpeechEvent::Started, interrupted, SpeechEvent::Started];
    assert_eq!(stage.events(), events);
}

#[test]
fn clear_without_anything_behind_is_silent_after_5_ms_and_does_not_click() {
    let mut stage = Stage::new();
    stage.push(&hum(4_800));
    // In the middle of the tone, near its top.
    stage.read_samples(2_400 + 230);
    stage.queue.clear();
    stage.read(2);
    assert!(largest_step(&stage.heard) < NO_CLICK);
    assert!(stage.heard[2_630 + 240..].iter().all(|&value| value == 0.0));
}

#[test]
fn clear_with_less_than_a_fade_left_does_not_click() {
    let mut stage = Stage::new();
    stage.push(&hum(1_000));
    stage.read(1);
    stage.queue.clear();
    stage.read(1);
    assert!(stage.heard[999].abs() > 0.01);
    assert!(largest_step(&stage.heard) < NO_CLICK);
    assert!(stage.heard[1_240..].iter().all(|&value| value == 0.0));
    assert_eq!(stage.position(), (1_000, 1_000, 0));
}

#[test]
fn clear_of_nothing_is_no_interruption() {
    let mut stage = Stage::new();
    stage.queue.clear();
    stage.read(1);
    stage.push(&hum(960));
    stage.finish();
    stage.read(2);
    stage.queue.clear();
    stage.read(2);
    let events = [SpeechEvent::Started, SpeechEvent::Finished { sent: 960 }];
    assert_eq!(stage.events(), events);
}

#[test]
fn speech_that_was_never_heard_is_cleared_as_a_whole_and_without_a_sound() {
    let mut stage = Stage::new();
    stage.push(&hum(9_600));
    stage.mark(5);
    stage.finish();
    stage.push(&hum(9_600));
    stage.queue.clear();
    assert!(stage.read(2).iter().all(|&value| value == 0.0));
    let interrupted = SpeechEvent::Interrupted {
        sent: 0,
        discarded: 19_200,
    };
    let marks = SpeechEvent::MarkDiscarded { id: 5 };
    assert_eq!(stage.events(), [interrupted, marks]);
}

#[test]
fn pause_keeps_every_sample_and_neither_end_of_it_clicks() {
    let mut stage = Stage::new();
    let speech = hum(9_600);
    stage.push(&speech);
    stage.read_samples(2_630);
    stage.queue.pause();
    stage.read(3);
    assert_eq!(stage.position(), (9_600, 2_870, 0));
    assert!(stage.heard[2_870..].iter().all(|&value| value == 0.0));
    stage.queue.resume();
    stage.finish();
    let resumed = stage.read(8).to_vec();
    assert_eq!(resumed[240..6_730], speech[3_110..]);
    assert!(largest_step(&stage.heard) < NO_CLICK);
    // A pause is no underrun.
    let events = [SpeechEvent::Started, SpeechEvent::Finished { sent: 9_600 }];
    assert_eq!(stage.events(), events);
}

#[test]
fn clear_ends_a_pause() {
    let mut stage = Stage::new();
    stage.push(&hum(9_600));
    stage.read(2);
    stage.queue.pause();
    stage.read(2);
    stage.queue.clear();
    stage.push(&hum(960));
    assert_eq!(stage.read(1), hum(960));
}

#[test]
fn utterance_pushed_while_paused_is_heard_whole() {
    let mut stage = Stage::new();
    stage.queue.pause();
    stage.push(&[0.5; 960]);
    assert_eq!(stage.read(2), [0.0; 1_920]);
    stage.queue.resume();
    assert_eq!(stage.read(1), [0.5; 960]);
}

#[test]
fn underrun_is_told_and_counted_and_does_not_click() {
    let mut stage = Stage::new();
    let speech = hum(4_800);
    stage.push(&speech[..2_000]);
    stage.read(2);
    // 80 samples, and 240 in which the last dies away.
    assert_eq!(stage.read_samples(960), 320);
    assert_eq!(stage.read_samples(960), 0);
    stage.push(&speech[2_000..]);
    stage.finish();
    assert_eq!(stage.read_samples(2_800), 2_800);
    assert!(largest_step(&stage.heard) < NO_CLICK);
    let samples = 880 + 960;
    let events = [
        SpeechEvent::Started,
        SpeechEvent::UnderrunStarted,
        SpeechEvent::UnderrunEnded { samples },
        SpeechEvent::Finished { sent: 4_800 },
    ];
    assert_eq!(stage.events(), events);
    // Silence between utterances is none.
    assert_eq!(stage.read_samples(960), 960);
}

#[test]
fn utterance_that_ends_aloud_dies_away() {
    let mut stage = Stage::new();
    stage.push(&hum(1_200));
    stage.finish();
    stage.read(2);
    assert!(stage.heard[1_199].abs() > 0.49);
    assert!(largest_step(&stage.heard) < NO_CLICK);
}

#[test]
fn marks_come_with_the_packet_of_the_sample_before_them() {
    let mut stage = Stage::new();
    stage.mark(1);
    stage.push(&hum(960));
    stage.mark(2);
    stage.push(&hum(1));
    stage.mark(3);
    stage.mark(3);
    stage.push(&hum(959));
    stage.read(1);
    let mark = |id| SpeechEvent::Mark { id };
    assert_eq!(stage.events(), [mark(1), SpeechEvent::Started, mark(2)]);
    stage.read(1);
    assert_eq!(stage.events(), [mark(3), mark(3)]);
}

#[test]
fn marks_are_exact_behind_resampled_speech() {
    let mut stage = Stage::new();
    for id in 1..=10 {
        done(stage.queue.push(&[1_000_i16; 441], 44_100, 1)).unwrap();
        stage.mark(id);
    }
    stage.finish();
    for id in 1..=10 {
        stage.read_samples(479);
        assert!(!stage.events().contains(&SpeechEvent::Mark { id }));
        stage.read_samples(1);
        assert!(stage.events().contains(&SpeechEvent::Mark { id }));
    }
    assert_eq!(stage.position(), (4_800, 4_800, 0));
}

#[test]
fn drained_means_that_the_last_packet_has_left() {
    let mut stage = Stage::new();
    done(stage.queue.drained()).unwrap();
    stage.push(&hum(1_000));
    let queue = stage.queue.clone();
    let mut drained = pin!(queue.drained());
    stage.read(100);
    assert!(poll(drained.as_mut()).is_none(), "more may come");
    stage.push(&hum(1_000));
    stage.finish();
    stage.read(2);
    let mut packets = 0;
    while poll(drained.as_mut()).is_none() {
        stage.read(1);
        packets += 1;
    }
    assert_eq!(packets, 9, "180 ms");
    // And once more, for an utterance that is cleared.
    stage.push(&hum(10_000));
    stage.read(1);
    let mut drained = pin!(queue.drained());
    assert!(poll(drained.as_mut()).is_none());
    stage.queue.clear();
    stage.read(1 + 9);
    assert_eq!(poll(drained).map(|result| result.is_ok()), Some(true));
}

/// For packets of 120 ms, which are read in steps of 20 ms where others listen to such.
#[test]
fn drained_waits_as_long_as_it_is_told_to() {
    let mut stage = Stage::with(SpeechQueueConfig {
        settling: Duration::from_millis(360),
        ..SpeechQueueConfig::default()
    });
    let queue = stage.queue.clone();
    stage.push(&hum(960));
    stage.finish();
    let mut drained = pin!(queue.drained());
    stage.read(1 + 17);
    assert!(poll(drained.as_mut()).is_none(), "the last packet waits");
    stage.read(1);
    assert!(poll(drained).is_some());
}

#[test]
fn dropped_handle_lets_the_last_word_out_and_ends_the_source() {
    let mut stage = Stage::new();
    done(stage.queue.push(&[9_000_i16; 480], 24_000, 1)).unwrap();
    stage.queue.pause();
    let Stage {
        queue, mut source, ..
    } = stage;
    drop(queue);
    let mut pcm = [[0.0; 2]; 480];
    for _ in 0..2 {
        assert!(!source.ended());
        assert_eq!(source.read(&mut pcm), 480);
        assert!(pcm[200][0] > 0.2);
    }
    source.read(&mut pcm);
    assert!(source.ended());
    stage = Stage::new();
    assert!(!stage.source.ended());
    drop(stage.queue);
    assert!(stage.source.ended());
}
