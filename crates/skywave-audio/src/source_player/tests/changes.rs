//! When a source begins, what stands in for it when it ends, and what is told of it.

use super::*;

/// Becomes ready when it was asked so often.
struct Hesitant {
    asked: u32,
    ready_at: u32,
}

impl AudioSource for Hesitant {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        pcm.fill([0.25; 2]);
        pcm.len()
    }

    fn ready(&mut self) -> bool {
        self.asked += 1;
        self.asked >= self.ready_at
    }
}

/// Ends at once, for a reason.
struct Broken;

impl AudioSource for Broken {
    fn read(&mut self, _: &mut [[f32; 2]]) -> usize {
        0
    }

    fn ended(&self) -> bool {
        true
    }

    fn error(&mut self) -> Option<String> {
        Some("the disk is gone".to_owned())
    }
}

fn hesitant(ready_at: u32) -> Option<Box<dyn AudioSource>> {
    Some(Box::new(Hesitant { asked: 0, ready_at }))
}

fn events(player: &mut SourcePlayer) -> Vec<TrackEvent> {
    player.take_events().collect()
}

#[test]
fn what_plays_goes_on_until_the_next_source_is_ready() {
    let mut player = playing(level(0.5));
    player.replace(hesitant(4));
    for _ in 0..3 {
        assert_eq!(read(&mut player).0, [[0.5; 2]; FRAME_SAMPLES]);
        assert_eq!(events(&mut player), []);
    }
    assert_eq!(read(&mut player).0, [[0.25; 2]; FRAME_SAMPLES]);
    assert_eq!(events(&mut player), [TrackEvent::SourceStarted]);
}

#[test]
fn source_that_is_never_ready_starts_when_patience_is_over_though_others_took_its_place() {
    let mut player = playing(level(0.5));
    player.set_max_swap_delay(Duration::from_millis(100));
    for _ in 0..5 {
        player.replace(hesitant(u32::MAX));
        assert_eq!(read(&mut player).0, [[0.5; 2]; FRAME_SAMPLES]);
    }
    assert_eq!(read(&mut player).0, [[0.25; 2]; FRAME_SAMPLES]);
    let expected = [TrackEvent::SourceNotReady, TrackEvent::SourceStarted];
    assert_eq!(events(&mut player), expected);
    // The next one may take its time again.
    player.replace(hesitant(2));
    assert_eq!(read(&mut player).0, [[0.25; 2]; FRAME_SAMPLES]);
    assert_eq!(events(&mut player), []);
}

#[test]
fn last_of_several_swaps_wins_and_the_others_are_handed_out_unheard() {
    let mut player = playing(level(0.5));
    for value in [0.1, 0.2, 0.3] {
        player.replace(level(value));
    }
    assert_eq!(player.take_retired().len(), 2);
    assert_eq!(read(&mut player).0, [[0.3_f32; 2]; FRAME_SAMPLES]);
    assert_eq!(events(&mut player), [TrackEvent::SourceStarted]);
    assert_eq!((player.take_retired().len(), player.swaps()), (1, 2));
}

#[test]
fn fallback_begins_with_the_sample_behind_the_last_and_waits_for_its_next_turn() {
    let mut player = playing(None);
    player.set_fallback(Some(Box::new(Ramp {
        next: 0,
        step: 1e-4,
    })));
    assert_eq!(read(&mut player).0, [[0.0; 2]; FRAME_SAMPLES], "taken out");
    let short = || Box::new(Level::lasting(0.5, 700));
    player.replace(Some(short()));
    let (pcm, supply) = read(&mut player);
    assert!(supply.ended && supply.samples_supplied == FRAME_SAMPLES);
    assert_eq!(
        (pcm[699], pcm[700], pcm[702]),
        ([0.5; 2], [0.0; 2], [2e-4; 2])
    );
    let ended = TrackEvent::SourceEnded { reason: None };
    let expected = [
        TrackEvent::SourceStarted,
        ended.clone(),
        TrackEvent::FallbackStarted,
    ];
    assert_eq!(events(&mut player), expected);
    read(&mut player);

    player.replace(Some(short()));
    let (pcm, _) = read(&mut player);
    assert_eq!(events(&mut player), expected);
    // It goes on where it was.
    assert!((pcm[700][0] - 0.122).abs() < 1e-6, "{:?}", pcm[700]);
    assert_eq!((player.underrun_samples(), player.retired.len()), (0, 1));
}

#[test]
fn source_that_panics_or_breaks_gives_way_to_the_fallback_with_the_reason() {
    let mut player = playing(Some(Box::new(Faulty {
        reads: 0,
        panics_on_drop: false,
    })));
    player.set_fallback(level(0.125));
    assert_eq!(read(&mut player).0, [[0.125; 2]; FRAME_SAMPLES]);
    let message = "the fault under test".to_owned();
    let panicked = TrackEvent::SourcePanicked { message };
    assert_eq!(events(&mut player), [panicked, TrackEvent::FallbackStarted]);

    player.set_crossfade(Duration::from_millis(5));
    player.replace(Some(Box::new(Broken)));
    let (pcm, _) = read(&mut player);
    assert_eq!(pcm[240..], [[0.0; 2]; 720], "it was on its way back");
    let reason = Some("the disk is gone".to_owned());
    let ended = TrackEvent::SourceEnded { reason };
    assert_eq!(events(&mut player), [TrackEvent::SourceStarted, ended]);
    let (pcm, _) = read(&mut player);
    assert_eq!(pcm[240..], [[0.125; 2]; 720]);
}

#[test]
fn fallback_that_ends_leaves_silence_and_another_may_take_its_place_at_once() {
    let mut player = playing(Some(Box::new(Broken)));
    player.set_fallback(Some(Box::new(Broken)));
    read(&mut player);
    let reason = Some("the disk is gone".to_owned());
    let ended = TrackEvent::FallbackEnded { reason };
    assert_eq!(events(&mut player), [TrackEvent::FallbackStarted, ended]);
    player.set_fallback(level(0.5));
    assert_eq!(read(&mut player).0, [[0.5; 2]; FRAME_SAMPLES]);
    player.set_fallback(level(0.25));
    assert_eq!(read(&mut player).0, [[0.25; 2]; FRAME_SAMPLES]);
    player.set_fallback(None);
    assert_eq!(read(&mut player).0, [[0.0; 2]; FRAME_SAMPLES]);
    player.replace(level(0.75));
    assert_eq!(read(&mut player).0, [[0.75; 2]; FRAME_SAMPLES]);
}

#[test]
fn underrun_has_a_beginning_and_an_end() {
    let mut player = playing(Some(Box::new(Level::endless(0.5).at_most(900))));
    assert!(events(&mut player).contains(&TrackEvent::UnderrunStarted));
    read(&mut player);
    assert_eq!(events(&mut player), []);
    let mut pcm = [[0.0; 2]; 900];
    player.read(&mut pcm);
    assert_eq!(
        events(&mut player),
        [TrackEvent::UnderrunEnded { samples: 120 }]
    );
}
