use super::*;
use crate::level::Level;
use crate::{Gain, Sequence, SourcePlayer, TrackEvent};

fn read(mixer: &mut Mixer) -> [[f32; 2]; 960] {
    let mut pcm = [[7.0; 2]; 960];
    assert_eq!(mixer.read(&mut pcm), 960);
    pcm
}

#[test]
fn inputs_are_added_with_their_volumes_and_fade_in_and_out() {
    let (mut mixer, inputs) = Mixer::new();
    assert_eq!(read(&mut mixer), [[0.0; 2]; 960]);
    let first = inputs.add(Level::endless(0.5), 0.0).unwrap();
    let second = inputs.add(Level::endless(0.5), -6.0206).unwrap();
    let pcm = read(&mut mixer);
    let step = pcm.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs());
    assert!(pcm[0][0] < 0.01 && step.fold(0.0, f32::max) < 0.005);
    assert!((pcm[959][0] - 0.75).abs() < 1e-4);
    second.volume().set_muted(true);
    assert!(read(&mut mixer)[959] == [0.5; 2] && !second.is_gone());
    first.remove();
    let pcm = read(&mut mixer);
    assert!(pcm[0][0] > 0.49 && pcm[959] == [0.0; 2]);
    assert!(first.is_gone());
    assert_eq!(inputs.count(), 1);
}

#[test]
fn sum_is_bent_below_full_scale_and_small_sums_pass_as_they_are() {
    let (mut mixer, inputs) = Mixer::new();
    for _ in 0..30 {
        inputs.add(Level::endless(-0.9), 0.0).unwrap();
    }
    read(&mut mixer);
    let [loud, _] = read(&mut mixer)[0];
    assert!((-1.0..-0.99).contains(&loud), "{loud}");
    assert_eq!(clip(0.75), 0.75);
    let slope = (clip(0.7501) - clip(0.75)) / 0.0001;
    assert!((slope - 1.0).abs() < 0.01, "{slope}");
}

#[test]
fn input_that_ends_leaves_the_others_playing() {
    let (mut mixer, inputs) = Mixer::new();
    inputs.add(Level::endless(0.25), 0.0).unwrap();
    let short = inputs.add(Level::lasting(0.25, 1_000), 0.0).unwrap();
    assert!(!short.is_gone());
    read(&mut mixer);
    let pcm = read(&mut mixer);
    assert_eq!((pcm[39], pcm[40]), ([0.5; 2], [0.25; 2]));
    assert!(short.is_gone());
    assert_eq!(read(&mut mixer), [[0.25; 2]; 960]);
}

/// A source of a user's that leaves everything but `read` as it is.
struct Wrapper(Mixer);

impl AudioSource for Wrapper {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.0.read(pcm)
    }
}

/// Ended from the beginning.
struct Ended(Arc<AtomicBool>);

impl AudioSource for Ended {
    fn read(&mut self, _: &mut [[f32; 2]]) -> usize {
        0
    }

    fn ended(&self) -> bool {
        true
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn input_that_nobody_takes_is_dropped_at_the_next_read() {
    let (mixer, inputs) = Mixer::new();
    let (mut wrapper, mut pcm) = (Wrapper(mixer), [[0.0; 2]; 960]);
    let dropped = Arc::new(AtomicBool::new(false));
    inputs.add(Ended(Arc::clone(&dropped)), 0.0).unwrap();
    assert_eq!(wrapper.read(&mut pcm), 960);
    assert!(inputs.count() == 0 && !dropped.load(Relaxed));
    assert_eq!(wrapper.read(&mut pcm), 960);
    assert!(dropped.load(Relaxed));
}

#[test]
fn input_that_panics_leaves_the_others_playing() {
    struct Faulty;
    impl AudioSource for Faulty {
        fn read(&mut self, _: &mut [[f32; 2]]) -> usize {
            panic!("the fault under test")
        }
    }
    impl Drop for Faulty {
        fn drop(&mut self) {
            panic!("the other fault under test")
        }
    }
    let (mut mixer, inputs) = Mixer::new();
    let faulty = inputs.add(Faulty, 0.0).unwrap();
    inputs.add(Level::endless(0.25), 0.0).unwrap();
    read(&mut mixer);
    assert_eq!(read(&mut mixer), [[0.25; 2]; 960]);
    assert!(faulty.is_gone());
    assert_eq!(faulty.failure(), Some("panicked: the fault under test"));
    drop(mixer.take_retired());
}

/// Ready when it was asked so often; then a few samples, and a failure.
struct Hesitant {
    asked: usize,
    ready_at: usize,
    read_by: Arc<AtomicUsize>,
    dropped: Arc<AtomicBool>,
}

impl AudioSource for Hesitant {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.read_by.fetch_add(1, Relaxed);
        pcm[..480].fill([0.5; 2]);
        480
    }

    fn ended(&self) -> bool {
        self.read_by.load(Relaxed) > 0
    }

    fn ready(&mut self) -> bool {
        self.asked += 1;
        self.asked >= self.ready_at
    }

    fn error(&mut self) -> Option<String> {
        Some("no more paper".into())
    }
}

impl Drop for Hesitant {
    fn drop(&mut self) {
        self.dropped.store(true, Relaxed);
    }
}

fn hesitant(ready_at: usize) -> Hesitant {
    Hesitant {
        asked: 0,
        ready_at,
        read_by: Arc::default(),
        dropped: Arc::default(),
    }
}

#[test]
fn input_is_heard_once_it_is_ready_or_after_a_second() {
    for (ready_at, silent_reads) in [(1, 0), (5, 4), (1_000, 50)] {
        let (mut mixer, inputs) = Mixer::new();
        let source = hesitant(ready_at);
        let read_by = Arc::clone(&source.read_by);
        inputs.add(source, 0.0).unwrap();
        for _ in 0..silent_reads {
            assert_eq!(read(&mut mixer), [[0.0; 2]; 960]);
        }
        assert_eq!(read_by.load(Relaxed), 0, "{ready_at}");
        assert_eq!(read(&mut mixer)[479], [0.5; 2], "{ready_at}");
    }
    let (mut mixer, inputs) = Mixer::new();
    assert!(mixer.ready());
    inputs.add(hesitant(3), 0.0).unwrap();
    assert_eq!([(); 3].map(|()| mixer.ready()), [false, false, true]);
}

#[test]
fn sources_within_an_input_are_handed_on_too() {
    let (mut mixer, inputs) = Mixer::new();
    let source = hesitant(0);
    let dropped = Arc::clone(&source.dropped);
    let sequence: Sequence = [Box::new(source) as Box<dyn AudioSource>]
        .into_iter()
        .collect();
    let sequence = inputs.add(sequence, 0.0).unwrap();
    read(&mut mixer);
    assert_eq!(sequence.failure(), Some("no more paper"));
    let retired = mixer.take_retired();
    assert_eq!((retired.len(), dropped.load(Relaxed)), (2, false));
}

#[test]
fn input_that_fails_is_told_and_dropped_by_who_plays_the_mixer() {
    let (mixer, inputs) = Mixer::new();
    let (mixer, _) = Gain::new(mixer, 0.0);
    let mut player = SourcePlayer::new();
    player.replace(Some(Box::new(mixer)));
    let source = hesitant(0);
    let dropped = Arc::clone(&source.dropped);
    let failing = inputs.add(source, 0.0).unwrap();
    player.read(&mut [[0.0; 2]; 960]);
    let reason = "no more paper".to_owned();
    assert!(player.take_events().any(|event| event
        == TrackEvent::InputFailed {
            reason: reason.clone()
        }));
    assert_eq!(failing.failure(), Some(reason.as_str()));
    assert!(failing.is_gone() && inputs.count() == 0);
    let retired = player.take_retired();
    assert_eq!((retired.len(), dropped.load(Relaxed)), (1, false));
    drop(retired);
    assert!(dropped.load(Relaxed));
}

#[test]
fn places_are_limited_and_become_free() {
    let (mut mixer, inputs) = Mixer::with_limit(2);
    let first = inputs.add(Level::endless(0.1), 0.0).unwrap();
    inputs.add(Level::endless(0.1), 0.0).unwrap();
    assert!(matches!(
        inputs.add(Level::endless(0.1), 0.0),
        Err(Error::MixerFull { limit: 2 })
    ));
    first.remove();
    read(&mut mixer);
    inputs.add(Level::endless(0.1), 0.0).unwrap();
    drop(mixer);
    assert!(inputs.add(Level::endless(0.1), 0.0).is_err());
}

#[test]
fn numbers_without_sense_do_not_spread() {
    let (mut mixer, inputs) = Mixer::new();
    inputs.add(Level::endless(f32::NAN), 0.0).unwrap();
    inputs.add(Level::endless(0.25), 0.0).unwrap();
    read(&mut mixer);
    assert_eq!(read(&mut mixer), [[0.25; 2]; 960]);
}
