//! The sending end of a speech queue.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use rtrb::{Consumer, Producer};
use skywave_audio::AudioSource;

use super::block::Block;
use super::control::{Control, ControlKind};
use super::event::SpeechEvent;
use super::fade::Fade;
use super::intake::{Generation, Intake};
use super::shared::Shared;

/// Plays what is pushed into its [`SpeechQueue`](crate::SpeechQueue), exactly as it comes.
///
/// Between utterances and while paused it plays silence. It ends when all handles are dropped and
/// everything pushed is sent. It never waits, and allocates and frees nothing.
pub struct SpeechSource {
    shared: Arc<Shared>,
    blocks: Consumer<Arc<Block>>,
    controls: Consumer<Control>,
    events: Producer<SpeechEvent>,
    block: Option<Arc<Block>>,
    generation: Generation,
    /// Of the next sample: how many were sent or discarded so far.
    position: u64,
    discarded: u64,
    /// Samples of the utterance under way that were sent.
    utterance_sent: u64,
    /// An utterance is under way.
    speaking: bool,
    /// The last sample played was speech, and the next may follow it.
    flowing: bool,
    paused: bool,
    /// What was cleared, until it has faded out.
    clearing: Option<Intake>,
    /// Silence that was played because nothing was there.
    underrun: Option<u64>,
    /// Samples read since the packet with the last speech.
    quiet: usize,
    /// After so many of them everything has left the machine.
    settling: usize,
    fade: Fade,
}

impl SpeechSource {
    pub(super) fn new(
        shared: Arc<Shared>,
        blocks: Consumer<Arc<Block>>,
        controls: Consumer<Control>,
        events: Producer<SpeechEvent>,
        settling: usize,
    ) -> Self {
        Self {
            shared,
            blocks,
            controls,
            events,
            block: None,
            generation: Generation::default(),
            position: 0,
            discarded: 0,
            utterance_sent: 0,
            speaking: false,
            flowing: false,
            paused: false,
            clearing: None,
            underrun: None,
            quiet: 0,
            settling,
            fade: Fade::new(),
        }
    }

    /// Looks at what the handle wants by now.
    fn obey(&mut self) {
        // In this order: a clear ends a pause.
        self.paused = self.shared.paused.load(SeqCst);
        let cleared = self.shared.cleared();
        if cleared.generation != self.generation {
            self.clearing = Some(cleared);
        }
        let closing = self.paused || self.clearing.is_some();
        self.fade.set_closing(closing);
        if closing && !self.flowing {
            self.fade.jump(false);
        } else if !closing && !self.speaking {
            // A first sample is heard as it is.
            self.fade.jump(true);
        }
    }

    /// Plays speech into the front of `pcm`, and returns how much.
    fn play(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let mut played = 0;
        loop {
            self.pass_controls();
            if let Some(cleared) = self.clearing
                && (self.fade.is_closed() || self.written() == 0)
            {
                self.discard(cleared);
                continue;
            }
            if played == pcm.len() || self.paused && self.fade.is_closed() {
                return played;
            }
            let count = self.play_part(&mut pcm[played..]);
            if count == 0 {
                return played;
            }
            played += count;
        }
    }

    /// Plays up to the next mark, the end of the block or of the fade.
    fn play_part(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let limit = pcm.len().min(self.fade.left()).min(self.until_control());
        self.written();
        let Some(block) = &self.block else {
            return 0;
        };
        let offset = self.position.saturating_sub(block.begin) as usize;
        let count = block.read(offset, &mut pcm[..limit]);
        if count == 0 {
            return 0;
        }
        if !self.speaking {
            (self.speaking, self.utterance_sent) = (true, 0);
            self.tell(SpeechEvent::Started);
        }
        self.end_underrun();
        self.flowing = true;
        self.fade.shape(&mut pcm[..count]);
        self.position += count as u64;
        self.utterance_sent += count as u64;
        count
    }

    /// How many samples can be read at once from here on, of this generation.
    fn written(&mut self) -> usize {
        loop {
            if let Some(block) = &self.block {
                let offset = self.position.saturating_sub(block.begin) as usize;
                if offset < Block::LEN {
                    return block.written().saturating_sub(offset);
                }
                self.block = None;
            }
            match self.blocks.peek() {
                Ok(front) if front.generation == self.generation => {
                    self.block = self.blocks.pop().ok();
                }
                Ok(front) if self.is_old(front.generation, front.begin) => {
                    let _ = self.blocks.pop();
                }
                // It begins after a clear that is not seen yet.
                _ => return 0,
            }
        }
    }

    /// Whether what lies at `place` was cleared. Its place alone may say so: generations wrap.
    fn is_old(&self, generation: Generation, place: u64) -> bool {
        generation != self.generation
            && (place < self.position || generation.is_before(self.generation))
    }

    /// Samples until the next mark or end.
    fn until_control(&self) -> usize {
        match self.controls.peek() {
            Ok(next) if next.generation == self.generation => {
                usize::try_from(next.at.saturating_sub(self.position)).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        }
    }

    /// Passes the marks and ends that lie here.
    fn pass_controls(&mut self) {
        while let Ok(&next) = self.controls.peek() {
            let is_old = self.is_old(next.generation, next.at);
            if !is_old && (next.generation != self.generation || next.at > self.position) {
                return;
            }
            let _ = self.controls.pop();
            match next.kind {
                ControlKind::Mark(id) if is_old => self.tell(SpeechEvent::MarkDiscarded { id }),
                ControlKind::Mark(id) => self.tell(SpeechEvent::Mark { id }),
                ControlKind::End if is_old => {}
                ControlKind::End => self.end_utterance(),
            }
        }
    }

    fn end_utterance(&mut self) {
        if self.speaking {
            self.end_underrun();
            let sent = self.utterance_sent;
            self.tell(SpeechEvent::Finished { sent });
            self.silence_between();
        }
    }

    /// Leaves out everything up to a clear.
    fn discard(&mut self, cleared: Intake) {
        let discarded = cleared.accepted.saturating_sub(self.position);
        self.position += discarded;
        self.discarded += discarded;
        self.generation = cleared.generation;
        self.clearing = None;
        self.block = None;
        self.end_underrun();
        if self.speaking || discarded > 0 {
            let sent = self.utterance_sent;
            self.tell(SpeechEvent::Interrupted { sent, discarded });
        }
        self.utterance_sent = 0;
        self.fade.set_closing(self.paused);
        self.silence_between();
    }

    /// No utterance is under way. The next is heard from its first sample on as it is.
    fn silence_between(&mut self) {
        self.fade.break_off();
        self.fade.jump(!self.paused);
        (self.speaking, self.flowing) = (false, false);
    }

    /// Fills the rest of a packet, for which no speech is there. Returns how much of it is not
    /// just missing.
    fn fall_silent(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let is_last = self.position == self.shared.intake().accepted;
        if is_last && self.shared.closed.load(SeqCst) {
            self.end_utterance();
        }
        if self.flowing {
            // What goes on in the middle of a sound fades in.
            self.fade.break_off();
            self.fade.jump(false);
            self.flowing = false;
        }
        let dying_away = self.fade.silence(pcm);
        if !self.speaking || self.paused {
            return pcm.len();
        }
        if self.underrun.is_none() {
            self.tell(SpeechEvent::UnderrunStarted);
        }
        *self.underrun.get_or_insert(0) += pcm.len() as u64;
        dying_away
    }

    fn end_underrun(&mut self) {
        if let Some(samples) = self.underrun.take() {
            self.tell(SpeechEvent::UnderrunEnded { samples });
        }
    }

    /// Tells how far it has come, and whether everything has left the machine.
    fn publish(&mut self, played: usize, len: usize) {
        self.shared
            .set_position(self.position - self.discarded, self.discarded);
        self.quiet = match played {
            0 => self.quiet.saturating_add(len),
            _ => 0,
        };
        if self.quiet >= self.settling && !self.speaking {
            self.shared.settle(self.position);
        }
    }

    fn tell(&mut self, event: SpeechEvent) {
        match self.events.push(event) {
            Ok(()) => self.shared.told.notify_one(),
            Err(_) => {
                self.shared.missed_events.fetch_add(1, Relaxed);
            }
        }
    }
}

impl AudioSource for SpeechSource {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        self.obey();
        let played = self.play(pcm);
        let rest = &mut pcm[played..];
        let supplied = match rest.is_empty() {
            true => played,
            false => played + self.fall_silent(rest),
        };
        self.publish(played, pcm.len());
        supplied
    }

    fn ended(&self) -> bool {
        self.shared.closed.load(SeqCst)
            && !self.speaking
            && self.fade.is_silent()
            && self.position == self.shared.intake().accepted
    }
}

impl Drop for SpeechSource {
    fn drop(&mut self) {
        self.shared.abandoned.store(true, SeqCst);
        self.shared.room.notify_one();
        self.shared.quiet.notify_waiters();
        self.shared.told.notify_one();
    }
}

impl std::fmt::Debug for SpeechSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpeechSource")
            .field("position", &self.position)
            .field("discarded", &self.discarded)
            .field("speaking", &self.speaking)
            .finish_non_exhaustive()
    }
}
