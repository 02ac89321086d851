//! The thread that decodes files one after another.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::containment::contain;
use crate::decoder::Decoder;
use crate::file_decoder::FileDecoder;
use crate::playback::{Programme, Repeat, Shared};
use crate::playback_queue::{Block, Mark};
use crate::playlist::PlaylistEvent;
use crate::prefetch::BLOCK_SAMPLES;
use crate::{Error, PcmConverter};

/// Decodes a programme into a queue of blocks, until all is played or the
/// source is dropped.
pub(crate) struct PlaybackThread {
    programme: Programme,
    output: Output,
    shared: Arc<Shared>,
    events: SyncSender<PlaylistEvent>,
    /// The file that was opened last, and its index.
    current: Option<(u32, FileDecoder)>,
    converter: PcmConverter,
    decoded: Vec<[f32; 2]>,
    /// Files whose damage was told of: once is enough.
    told: HashSet<u32>,
    /// Why the file that was played last was not played whole, if it was not.
    fault: Option<Error>,
}

impl PlaybackThread {
    pub(crate) fn new(
        programme: Programme,
        blocks: SyncSender<Block>,
        opened: SyncSender<Result<(), Error>>,
        shared: Arc<Shared>,
        events: SyncSender<PlaylistEvent>,
    ) -> Self {
        let output = Output {
            blocks,
            opened: Some(opened),
            pcm: Vec::new(),
            generation: 0,
            index: 0,
            file_samples: 0,
            sent_samples: 0,
        };
        Self {
            programme,
            output,
            shared,
            events,
            current: None,
            converter: PcmConverter::default(),
            decoded: Vec::new(),
            told: HashSet::new(),
            fault: None,
        }
    }

    /// Returns when there is nothing more to do.
    pub(crate) fn run(&mut self) {
        let end = self.play_all();
        match (end, self.output.opened.take()) {
            (Err(error), None) => self.shared.fail(error),
            // It waits for this, with room for it.
            (Err(error), Some(opened)) => drop(opened.try_send(Err(error))),
            (Ok(()), _) => {}
        }
    }

    /// Plays round after round. An error is why it ended, if not as it should.
    fn play_all(&mut self) -> Result<(), Error> {
        let (mut index, mut position) = (0, self.programme.start);
        let mut rounds = 0;
        // None when part of the round was left out because somebody wanted that.
        let mut before_round = Some(0);
        loop {
            if index as usize >= self.programme.paths.len() {
                // So little would be opened over and over faster than it plays.
                let least = before_round.map_or(0, |samples| samples + MIN_SAMPLES);
                rounds += 1;
                let last = matches!(self.programme.repeat, Repeat::Times(n) if n.get() <= rounds);
                if last || self.output.samples() < least {
                    self.converter.flush(&mut self.output.pcm)?;
                }
                if self.output.samples() < least {
                    return Err(self.fault.take().unwrap_or_else(|| self.no_samples()));
                }
                if last {
                    self.output.send_rest();
                    return self.fault.take().map_or(Ok(()), Err);
                }
                (index, position) = (0, Duration::ZERO);
                before_round = Some(self.output.samples());
            }
            match self.play_guarded(index, position) {
                Next::File => (index, position) = (index.saturating_add(1), Duration::ZERO),
                Next::Command => {
                    before_round = None;
                    self.converter.reset();
                    let generation = self.output.begin_generation();
                    let (wanted, milliseconds) = self.shared.take_command(generation);
                    (index, position) = (wanted, Duration::from_millis(milliseconds.into()));
                    if (index as usize) < self.programme.paths.len() {
                        self.shared.announce(index, milliseconds);
                    }
                }
                Next::Nothing => return Ok(()),
            }
        }
    }

    /// Plays one file from `position` on; one that cannot be played is left out.
    fn play_guarded(&mut self, index: u32, position: Duration) -> Next {
        self.fault = None;
        let played = contain(|| self.play(index, position));
        let error = match played {
            Ok(Ok(next)) => return next,
            Ok(Err(error)) => error,
            Err(_) => Error::Damaged {
                path: self.programme.paths[index as usize].clone(),
                reason: "the decoder failed".into(),
            },
        };
        // Full or unread: then nobody wants to know.
        let _ = self.events.try_send(PlaylistEvent::Skipped {
            index: index as usize,
            reason: error.to_string(),
        });
        self.fault = Some(error);
        Next::File
    }

    fn play(&mut self, index: u32, position: Duration) -> Result<Next, Error> {
        self.output.begin_file(index, position);
        let mut counted = 0;
        let mut decoder = self.open(index, position)?;
        loop {
            self.decoded.clear();
            let rate = decoder.decode_next(&mut self.decoded)?;
            let damaged = decoder.pass().damaged();
            self.shared.count_damaged(damaged - counted);
            counted = damaged;
            let Some(rate) = rate else {
                break;
            };
            let pcm = &mut self.output.pcm;
            self.converter.convert_stereo(&self.decoded, rate, pcm)?;
            if !self.output.send_blocks(&self.shared) {
                return Ok(Next::Nothing);
            }
            if self.shared.has_command() {
                self.current = Some((index, decoder));
                return Ok(Next::Command);
            }
        }
        self.tell_damage(index, decoder.pass());
        self.current = Some((index, decoder));
        Ok(Next::File)
    }

    /// Opens a file, or takes the one that is open.
    fn open(&mut self, index: u32, position: Duration) -> Result<FileDecoder, Error> {
        if let Some((current, mut decoder)) = self.current.take()
            && current == index
        {
            decoder.seek(position)?;
            return Ok(decoder);
        }
        let mut decoder = FileDecoder::open(&self.programme.paths[index as usize])?;
        if !position.is_zero() {
            decoder.seek(position)?;
        }
        Ok(decoder)
    }

    fn tell_damage(&mut self, index: u32, pass: &Decoder) {
        if let Some(reason) = pass.fault() {
            self.fault = Some(Error::Damaged {
                path: self.programme.paths[index as usize].clone(),
                reason: reason.into(),
            });
        }
        if let Some(reason) = pass.fault().or(pass.damage())
            && self.told.insert(index)
        {
            let _ = self.events.try_send(PlaylistEvent::Damaged {
                index: index as usize,
                packets: pass.damaged(),
                reason: reason.into(),
            });
        }
    }

    /// Why there is nothing to hear in any file.
    fn no_samples(&self) -> Error {
        match &self.current {
            Some((_, decoder)) => decoder.pass().no_samples(),
            None => Error::EmptyPlaylist,
        }
    }
}

/// What to play next.
enum Next {
    File,
    /// What somebody wanted.
    Command,
    /// The source is gone.
    Nothing,
}

/// Where the thread sends its blocks.
struct Output {
    blocks: SyncSender<Block>,
    /// Who waits for the first blocks; None once that is over.
    opened: Option<SyncSender<Result<(), Error>>>,
    pcm: Vec<[f32; 2]>,
    generation: u32,
    index: u32,
    /// From the beginning of the file.
    file_samples: u64,
    sent_samples: u64,
}

impl Output {
    /// What follows is from that file.
    fn begin_file(&mut self, index: u32, position: Duration) {
        self.index = index;
        self.file_samples = position.as_millis() as u64 * SAMPLES_PER_MS;
    }

    /// What was sent is not wanted any more.
    fn begin_generation(&mut self) -> u32 {
        self.pcm.clear();
        self.generation += 1;
        self.generation
    }

    /// Sends the whole blocks at the front, until a command comes; false once
    /// the source is dropped.
    fn send_blocks(&mut self, shared: &Shared) -> bool {
        let whole = self.pcm.len() - self.pcm.len() % BLOCK_SAMPLES;
        let samples: Vec<[f32; 2]> = self.pcm.drain(..whole).collect();
        let mut blocks = samples.chunks(BLOCK_SAMPLES);
        blocks.all(|block| shared.has_command() || self.send(block))
    }

    /// Sends what is left at the end.
    fn send_rest(&mut self) {
        let rest = std::mem::take(&mut self.pcm);
        // If the source is gone, this is the end all the same.
        let _ = rest.chunks(BLOCK_SAMPLES).all(|block| self.send(block));
        self.say_opened();
    }

    fn send(&mut self, samples: &[[f32; 2]]) -> bool {
        let milliseconds = self.file_samples / SAMPLES_PER_MS;
        let mark = Mark {
            generation: self.generation,
            index: self.index,
            milliseconds: u32::try_from(milliseconds).unwrap_or(u32::MAX),
        };
        let block = Block {
            samples: samples.into(),
            mark,
        };
        self.file_samples += samples.len() as u64;
        self.sent_samples += samples.len() as u64;
        if self.blocks.send(block).is_err() {
            return false;
        }
        if self.sent_samples >= PRE_ROLL_SAMPLES {
            self.say_opened();
        }
        true
    }

    fn say_opened(&mut self) {
        if let Some(opened) = self.opened.take() {
            // It waits for this, with room for it.
            let _ = opened.try_send(Ok(()));
        }
    }

    /// All samples so far.
    fn samples(&self) -> u64 {
        self.sent_samples + self.pcm.len() as u64
    }
}

/// What is decoded before the source plays: 200 ms.
pub(crate) const PRE_ROLL_SAMPLES: u64 = 9_600;
/// The least a round must give.
const MIN_SAMPLES: u64 = 240;
const SAMPLES_PER_MS: u64 = crate::SAMPLE_RATE as u64 / 1_000;
