//! Any order of calls, compared with a model that goes sample by sample.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::speech::fade::FADE_SAMPLES;

#[derive(Clone, Debug)]
enum Call {
    Push(usize),
    Mark,
    Finish,
    Clear,
    Pause,
    Resume,
    Read(usize),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (0_usize..4_000).prop_map(Call::Push),
        1 => Just(Call::Mark),
        1 => Just(Call::Finish),
        1 => Just(Call::Clear),
        1 => Just(Call::Pause),
        2 => Just(Call::Resume),
        6 => prop::sample::select(vec![480, 960, 960, 960, 1_920, 2_880]).prop_map(Call::Read),
    ]
}

#[derive(Clone, Copy)]
enum Entry {
    Sample,
    Mark(u64),
    End,
}

/// What the source should do.
#[derive(Default)]
struct Model {
    entries: VecDeque<Entry>,
    /// So many of them were cleared, and have not been discarded yet.
    cleared: Option<usize>,
    /// So many of those were there at the first of several clears: only they may fade out.
    fading: usize,
    paused: bool,
    /// Up to [`FADE_SAMPLES`].
    opened: usize,
    speaking: bool,
    flowing: bool,
    utterance_sent: u64,
    sent: u64,
    discarded: u64,
    underrun: Option<u64>,
    events: Vec<SpeechEvent>,
}

impl Model {
    fn clear(&mut self) {
        if self.cleared.is_none() {
            self.fading = self.entries.len();
        }
        self.cleared = Some(self.entries.len());
        self.paused = false;
    }

    /// Returns how many samples of speech the front of the packet has.
    fn read(&mut self, len: usize) -> usize {
        let closing = self.paused || self.cleared.is_some();
        if closing && !self.flowing {
            self.opened = 0;
        } else if !closing && !self.speaking {
            self.opened = FADE_SAMPLES;
        }
        let mut played = 0;
        loop {
            self.pass_controls();
            if self.cleared.is_some() && (self.opened == 0 || self.fading == 0) {
                self.discard();
                continue;
            }
            let stopped = self.paused && self.opened == 0;
            if played == len || stopped || self.entries.is_empty() {
                break;
            }
            self.play_sample();
            played += 1;
        }
        if played < len {
            if self.flowing {
                self.opened = 0;
            }
            self.flowing = false;
            if self.speaking && !self.paused {
                if self.underrun.is_none() {
                    self.events.push(SpeechEvent::UnderrunStarted);
                }
                *self.underrun.get_or_insert(0) += (len - played) as u64;
            }
        }
        played
    }

    fn play_sample(&mut self) {
        self.take();
        if !self.speaking {
            (self.speaking, self.utterance_sent) = (true, 0);
            self.events.push(SpeechEvent::Started);
        }
        self.end_underrun();
        self.flowing = true;
        if self.paused || self.cleared.is_some() {
            self.opened -= 1;
        } else {
            self.opened = (self.opened + 1).min(FADE_SAMPLES);
        }
        self.sent += 1;
        self.utterance_sent += 1;
    }

    fn take(&mut self) -> Option<Entry> {
        self.cleared = self.cleared.map(|cleared| cleared - 1);
        self.fading = self.fading.saturating_sub(1);
        self.entries.pop_front()
    }

    fn pass_controls(&mut self) {
        while (self.cleared.is_none() || self.fading > 0)
            && let Some(Entry::Mark(_) | Entry::End) = self.entries.front()
        {
            match self.take() {
                Some(Entry::Mark(id)) => self.events.push(SpeechEvent::Mark { id }),
                _ if self.speaking => {
                    self.end_underrun();
                    let sent = self.utterance_sent;
                    self.events.push(SpeechEvent::Finished { sent });
                    self.fall_silent();
                }
                _ => {}
            }
        }
    }

    fn discard(&mut self) {
        let cleared = self.cleared.take().unwrap();
        let cleared: Vec<_> = self.entries.drain(..cleared).collect();
        let is_sample = |entry: &&Entry| matches!(entry, Entry::Sample);
        let discarded = cleared.iter().filter(is_sample).count() as u64;
        self.discarded += discarded;
        self.end_underrun();
        if self.speaking || discarded > 0 {
            let sent = self.utterance_sent;
            self.events
                .push(SpeechEvent::Interrupted { sent, discarded });
        }
        self.utterance_sent = 0;
        for entry in cleared {
            if let Entry::Mark(id) = entry {
                self.events.push(SpeechEvent::MarkDiscarded { id });
            }
        }
        self.fall_silent();
    }

    fn fall_silent(&mut self) {
        (self.speaking, self.flowing) = (false, false);
        self.opened = if self.paused { 0 } else { FADE_SAMPLES };
    }

    fn end_underrun(&mut self) {
        if let Some(samples) = self.underrun.take() {
            self.events.push(SpeechEvent::UnderrunEnded { samples });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_interleaving_is_exact_to_the_sample_and_never_clicks(
        calls in prop::collection::vec(call(), 1..60),
    ) {
        let (mut stage, mut model) = (Stage::new(), Model::default());
        let (mut pushed, mut of_utterance, mut marks) = (0, 0, 0);
        for call in calls {
            match call {
                Call::Push(count) => {
                    let all = hum(of_utterance + count);
                    stage.push(&all[of_utterance..]);
                    model.entries.extend(vec![Entry::Sample; count]);
                    pushed += count as u64;
                    of_utterance += count;
                }
                Call::Mark => {
                    marks += 1;
                    stage.mark(marks);
                    model.entries.push_back(Entry::Mark(marks));
                }
                Call::Finish => {
                    stage.finish();
                    if of_utterance > 0 {
                        model.entries.push_back(Entry::End);
                    }
                    of_utterance = 0;
                }
                Call::Clear => {
                    stage.queue.clear();
                    model.clear();
                    of_utterance = 0;
                }
                Call::Pause => {
                    stage.queue.pause();
                    model.paused = true;
                }
                Call::Resume => {
                    stage.queue.resume();
                    model.paused = false;
                }
                Call::Read(len) => {
                    stage.read_samples(len);
                    let played = model.read(len);
                    let silence = &stage.heard[stage.heard.len() - (len - played)..];
                    let dying_away = silence.len().min(FADE_SAMPLES);
                    prop_assert!(silence[dying_away..].iter().all(|&value| value == 0.0));
                }
            }
            prop_assert_eq!(stage.position(), (pushed, model.sent, model.discarded));
            prop_assert_eq!(stage.events(), std::mem::take(&mut model.events));
        }
        let click = largest_step(&stage.heard);
        prop_assert!(click < 2.0 * NO_CLICK, "{}", click);
    }
}
