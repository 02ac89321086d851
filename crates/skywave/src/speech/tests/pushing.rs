//! Room, waiting, and what a clear does to those who wait.

use super::*;
use crate::Error;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn push_waits_while_the_queue_is_full() {
    let mut stage = Stage::holding(SECOND);
    stage.push(&hum(48_000));
    let queue = stage.queue.clone();
    let more = hum(960);
    let mut push = pin!(queue.push(&more, 48_000, 1));
    assert!(poll(push.as_mut()).is_none());
    assert_eq!(stage.position().0, 48_000);
    stage.read(1);
    assert!(matches!(poll(push), Some(Ok(()))));
    assert_eq!(stage.position().0, 48_960);
}

#[test]
fn long_push_goes_in_as_the_queue_empties_and_never_runs_dry() {
    let mut stage = Stage::holding(SECOND);
    let speech = hum(10 * 48_000);
    let queue = stage.queue.clone();
    let mut push = pin!(queue.push(&speech, 48_000, 1));
    while poll(push.as_mut()).is_none() {
        assert!(queue.position().queued() <= 48_000);
        stage.read(1);
    }
    stage.finish();
    stage.read(50);
    assert!(stage.heard[..480_000] == speech);
    let sent = 480_000;
    let events = [SpeechEvent::Started, SpeechEvent::Finished { sent }];
    assert_eq!(stage.events(), events);
}

#[test]
fn waiting_push_is_woken_by_the_source_and_by_a_clear() {
    struct Flag(std::sync::atomic::AtomicBool);
    impl std::task::Wake for Flag {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    }
    for clear in [false, true] {
        let mut stage = Stage::holding(SECOND);
        stage.push(&hum(48_000));
        let flag = std::sync::Arc::new(Flag(false.into()));
        let waker = Waker::from(std::sync::Arc::clone(&flag));
        let queue = stage.queue.clone();
        let more = hum(1_920);
        let mut push = pin!(queue.push(&more, 48_000, 1));
        let mut context = Context::from_waker(&waker);
        assert!(push.as_mut().poll(&mut context).is_pending());
        let woken = || flag.0.load(std::sync::atomic::Ordering::SeqCst);
        if clear {
            queue.clear();
        } else {
            stage.read(1);
            assert!(!woken(), "there is no room yet");
            stage.read(1);
        }
        assert!(woken());
        assert!(push.as_mut().poll(&mut context).is_ready());
    }
}

#[test]
fn try_push_takes_all_or_nothing_and_tells_the_room() {
    let mut stage = Stage::holding(SECOND);
    let queue = stage.queue.clone();
    queue.try_push(&hum(40_000), 48_000, 1).unwrap();
    let full = queue.try_push(&hum(8_001), 48_000, 1);
    assert!(matches!(full, Err(Error::QueueFull { room: 8_000 })));
    assert_eq!(stage.position().0, 40_000);
    queue.try_push(&hum(8_000), 48_000, 1).unwrap();
    stage.read(1);
    let more = hum(2_000);
    let mut push = pin!(queue.push(&more, 48_000, 1));
    assert!(poll(push.as_mut()).is_none());
    let busy = queue.try_push(&hum(1), 48_000, 1);
    assert!(matches!(busy, Err(Error::QueueFull { room: 0 })));
}

#[test]
fn clear_makes_room_at_once_and_nothing_of_the_old_utterance_follows() {
    let mut stage = Stage::holding(SECOND);
    stage.push(&hum(48_000));
    stage.read(1);
    let queue = stage.queue.clone();
    let (long, short) = (hum(96_000), hum(24_000));
    let mut first = pin!(queue.push(&long, 48_000, 1));
    let mut second = pin!(queue.push(&short, 48_000, 1));
    assert!(poll(first.as_mut()).is_none() && poll(second.as_mut()).is_none());
    queue.clear();
    // The next utterance is there before the source has noticed, and before the pushes have.
    let next = vec![0.25; 48_000];
    let mut third = pin!(queue.push(&next, 48_000, 1));
    assert!(poll(third.as_mut()).is_none(), "it is the third's turn");
    let interrupted = |result| matches!(result, Some(Err(Error::Interrupted { pushed: 0 })));
    assert!(interrupted(poll(first)) && interrupted(poll(second)));
    done(third).unwrap();
    let packet = stage.read(1);
    assert!(packet[240..].iter().all(|&value| value == 0.25));
    assert!(stage.read(49).iter().all(|&value| value == 0.25));
}

#[test]
fn interrupted_push_tells_how_much_it_had_pushed() {
    let stage = Stage::holding(SECOND * 2);
    let queue = stage.queue.clone();
    let speech = vec![1_i16; 2 * 24_000 * 5];
    // Stereo: a sample is both channels.
    let mut push = pin!(queue.push(&speech, 24_000, 2));
    for _ in 0..10 {
        assert!(poll(push.as_mut()).is_none());
    }
    queue.clear();
    let outcome = poll(push);
    assert!(
        matches!(outcome, Some(Err(Error::Interrupted { pushed: 48_000 }))),
        "{outcome:?}"
    );
    assert_eq!(queue.position().pushed, 96_000);
}

#[test]
fn push_dropped_while_it_waits_has_pushed_nothing() {
    let mut stage = Stage::holding(SECOND);
    stage.push(&hum(48_000));
    let queue = stage.queue.clone();
    {
        let more = hum(20_000);
        let mut push = pin!(queue.push(&more, 48_000, 1));
        assert!(poll(push.as_mut()).is_none());
        stage.read(10);
        assert!(poll(push.as_mut()).is_none());
    }
    assert_eq!(stage.position().0, 48_000);
    // And nobody waits for it.
    stage.push(&hum(4_800));
    stage.finish();
    stage.read(50);
    assert_eq!(stage.heard[..48_000], hum(48_000));
    assert_eq!(stage.heard[48_000..52_800], hum(4_800));
}

#[test]
fn pushes_at_a_time_do_not_mix() {
    let mut stage = Stage::holding(SECOND);
    let queue = stage.queue.clone();
    let (ones, twos) = (vec![0.1; 100_000], vec![0.2; 100_000]);
    let mut first = pin!(queue.push(&ones, 48_000, 1));
    let mut second = pin!(queue.push(&twos, 48_000, 1));
    for _ in 0..300 {
        if queue.position().pushed < 100_000 {
            let _ = poll(first.as_mut());
        }
        if poll(second.as_mut()).is_some() {
            break;
        }
        stage.read(1);
    }
    stage.read(60);
    assert!(stage.heard[..100_000].iter().all(|&value| value == 0.1));
    assert!(
        stage.heard[100_000..200_000]
            .iter()
            .all(|&value| value == 0.2)
    );
    assert_eq!(stage.position(), (200_000, 200_000, 0));
}

#[test]
fn nothing_pushed_is_no_utterance() {
    let mut stage = Stage::new();
    stage.push(&[]);
    stage.queue.try_push(&[0_i16; 0], 8_000, 8).unwrap();
    stage.finish();
    stage.read(1);
    assert!(stage.events().is_empty());
    done(stage.queue.drained()).unwrap();
}

#[test]
fn marks_and_ends_wait_when_too_many_are_there() {
    let mut stage = Stage::with(SpeechQueueConfig {
        max_marks: 2,
        ..SpeechQueueConfig::default()
    });
    stage.push(&hum(960));
    let queue = stage.queue.clone();
    stage.mark(1);
    stage.mark(2);
    let mut finish = pin!(queue.finish());
    assert!(poll(finish.as_mut()).is_none());
    stage.read(1);
    assert!(matches!(poll(finish), Some(Ok(()))));
    stage.read(1);
    assert_eq!(
        stage.events().last(),
        Some(&SpeechEvent::Finished { sent: 960 })
    );
}

#[test]
fn formats_may_change_within_an_utterance_and_wild_values_are_tamed() {
    let mut stage = Stage::new();
    let queue = stage.queue.clone();
    done(queue.push(&[f32::NAN; 800], 8_000, 1)).unwrap();
    done(queue.push(&[f32::INFINITY; 882], 44_100, 2)).unwrap();
    done(queue.push(&[i16::MAX; 9_600], 96_000, 1)).unwrap();
    stage.finish();
    assert_eq!(stage.position().0, 4_800 + 480 + 4_800);
    stage.read(12);
    assert!(stage.heard.iter().all(|value| (-1.0..=1.0).contains(value)));
    assert!(stage.heard[..5_200].iter().all(|&value| value.abs() < 0.2));
    assert!(stage.heard[5_400..9_900].iter().all(|&value| value > 0.99));
    let sent = 10_080;
    let events = [SpeechEvent::Started, SpeechEvent::Finished { sent }];
    assert_eq!(stage.events(), events);
}

#[test]
fn bad_formats_are_refused_and_nothing_was_pushed() {
    let stage = Stage::new();
    for (rate, channels) in [(7_999, 1), (48_000, 0), (48_000, 9), (48_000, 2)] {
        let refused = done(stage.queue.push(&[0_i16; 5], rate, channels));
        assert!(matches!(refused, Err(Error::InvalidPcm(_))));
        let refused = stage.queue.try_push(&[0_i16; 5], rate, channels);
        assert!(matches!(refused, Err(Error::InvalidPcm(_))));
    }
    assert_eq!(stage.position(), (0, 0, 0));
}

#[test]
fn everybody_who_waits_learns_that_the_source_is_gone() {
    let Stage { queue, source, .. } = Stage::holding(SECOND);
    let speech = hum(96_000);
    let mut push = pin!(queue.push(&speech, 48_000, 1));
    let mut mark = pin!(queue.push_mark(1));
    let mut drained = pin!(queue.drained());
    let mut event = pin!(queue.next_event());
    while queue.position().pushed < 48_000 {
        assert!(poll(push.as_mut()).is_none());
    }
    assert!(poll(mark.as_mut()).is_none() && poll(drained.as_mut()).is_none());
    assert!(poll(event.as_mut()).is_none());
    drop(source);
    assert!(matches!(poll(push), Some(Err(Error::SourceGone))));
    assert!(matches!(poll(mark), Some(Err(Error::SourceGone))));
    assert!(matches!(poll(drained), Some(Err(Error::SourceGone))));
    assert_eq!(poll(event), Some(None));
    let late = queue.try_push(&speech[..10], 48_000, 1);
    assert!(matches!(late, Err(Error::SourceGone)));
}

#[test]
fn absurd_limits_are_taken_for_the_nearest_sound_ones() {
    let mut stage = Stage::with(SpeechQueueConfig {
        max_queued: Duration::ZERO,
        max_marks: 0,
        max_events: 0,
        settling: Duration::ZERO,
    });
    stage.push(&hum(1_920));
    stage.mark(1);
    let full = stage.queue.try_push(&hum(1), 48_000, 1);
    assert!(matches!(full, Err(Error::QueueFull { room: 0 })));
    assert_eq!(stage.read(2), hum(1_920));
    let endless = Stage::with(SpeechQueueConfig {
        max_queued: Duration::MAX,
        max_marks: usize::MAX,
        max_events: usize::MAX,
        settling: Duration::MAX,
    });
    endless.push(&hum(96_000));
}

#[test]
fn thousands_of_clears_between_two_packets_leave_nothing_stuck() {
    let mut stage = Stage::new();
    stage.push(&hum(1_000));
    stage.mark(1);
    for _ in 0..40_000 {
        stage.queue.clear();
    }
    stage.mark(2);
    stage.push(&[0.25; 960]);
    assert_eq!(stage.read(1), [0.25; 960]);
    let events = stage.events();
    let interrupted = SpeechEvent::Interrupted {
        sent: 0,
        discarded: 1_000,
    };
    assert_eq!((events[0], events.len()), (interrupted, 4));
    for event in [
        SpeechEvent::MarkDiscarded { id: 1 },
        SpeechEvent::Mark { id: 2 },
        SpeechEvent::Started,
    ] {
        assert!(events.contains(&event), "{events:?}");
    }
}

#[test]
fn events_that_nobody_takes_are_counted_and_block_nothing() {
    let mut stage = Stage::with(SpeechQueueConfig {
        max_events: 4,
        ..SpeechQueueConfig::default()
    });
    for id in 0..10 {
        stage.mark(id);
    }
    stage.read(1);
    assert_eq!(stage.events().len(), 4);
    assert_eq!(stage.queue.missed_events(), 6);
}
