//! The pushing end: it converts samples and lays them into blocks.

use std::collections::VecDeque;
use std::sync::Arc;

use rtrb::Producer;
use skywave_audio::{Error, PcmConverter, PcmSamples};

use super::block::Block;
use super::control::{Control, ControlKind};
use super::intake::Generation;

/// One at a time writes.
pub(super) struct Writer {
    converter: PcmConverter,
    /// That of the samples in the converter and the block.
    generation: Generation,
    blocks: Producer<Arc<Block>>,
    controls: Producer<Control>,
    /// Being filled.
    block: Option<Arc<Block>>,
    /// Those that the source may still have: blocks are freed here, never by the source.
    lent: VecDeque<Arc<Block>>,
    /// The position of the next sample to be laid into a block.
    position: u64,
    converted: Vec<[f32; 2]>,
}

/// Samples of one format.
#[derive(Clone, Copy)]
pub(super) struct Pcm<'a> {
    pub(super) samples: PcmSamples<'a>,
    pub(super) rate: u32,
    pub(super) channels: u16,
}

impl Writer {
    pub(super) fn new(blocks: Producer<Arc<Block>>, controls: Producer<Control>) -> Self {
        Self {
            converter: PcmConverter::new(),
            generation: Generation::default(),
            blocks,
            controls,
            block: None,
            lent: VecDeque::new(),
            position: 0,
            converted: Vec::new(),
        }
    }

    /// How many samples of 48 kHz it comes to, once all is converted.
    pub(super) fn promises(&self, generation: Generation, pcm: Pcm<'_>) -> u64 {
        let samples = pcm.samples.len() / usize::from(pcm.channels);
        if generation == self.generation {
            self.converter.promises(samples, pcm.rate, pcm.channels)
        } else {
            PcmConverter::new().promises(samples, pcm.rate, pcm.channels)
        }
    }

    /// Whether there are places for the blocks of so many samples, and those of a flush.
    pub(super) fn has_blocks_for(&self, samples: u64) -> bool {
        self.blocks.slots() as u64 >= samples / Block::LEN as u64 + SPARE_BLOCKS as u64
    }

    /// Lays samples that were accepted at `position` into blocks. Those that the library fails to
    /// convert become silence.
    pub(super) fn write(
        &mut self,
        generation: Generation,
        (position, samples): (u64, u64),
        pcm: Pcm<'_>,
    ) -> Result<(), Error> {
        if generation != self.generation {
            self.begin(generation, position);
        }
        let width = usize::from(pcm.channels);
        let mut rest = pcm.samples;
        // In parts, so that the first can be heard before the last is converted.
        while !rest.is_empty() {
            let part;
            (part, rest) = rest.split_at(rest.len().min(PART_SAMPLES * width));
            let converter = &mut self.converter;
            let outcome = converter.convert(part, pcm.rate, pcm.channels, &mut self.converted);
            if let Err(error) = outcome {
                let missing = (position + samples - self.position) as usize;
                self.converter = PcmConverter::new();
                self.converted.clear();
                self.converted.resize(missing, [0.0; 2]);
                self.append();
                return Err(error);
            }
            self.append();
        }
        Ok(())
    }

    /// Ends the stream of samples: what the converter holds back is laid into blocks.
    pub(super) fn flush(&mut self, generation: Generation) -> Result<(), Error> {
        if generation != self.generation {
            return Ok(());
        }
        let outcome = self.converter.flush(&mut self.converted);
        self.append();
        outcome
    }

    /// Whether one more mark or end can wait.
    pub(super) fn has_place_for_control(&self) -> bool {
        self.controls.slots() > 0
    }

    /// Adds a mark or an end behind the sample before `at`. Nothing happens without a place.
    pub(super) fn control(&mut self, generation: Generation, at: u64, kind: ControlKind) {
        let _ = self.controls.push(Control {
            generation,
            at,
            kind,
        });
    }

    /// Begins anew after a clear.
    fn begin(&mut self, generation: Generation, position: u64) {
        self.converter.reset();
        (self.generation, self.position) = (generation, position);
        self.block = None;
    }

    /// Lays what is converted into blocks.
    fn append(&mut self) {
        let mut appended = 0;
        while appended < self.converted.len() {
            let block = match &self.block {
                Some(block) if !block.is_full() => block,
                _ => {
                    let fresh = self.fresh_block();
                    // There is a place: see `has_blocks_for`.
                    let _ = self.blocks.push(Arc::clone(&fresh));
                    self.lent.push_back(Arc::clone(&fresh));
                    self.block.insert(fresh)
                }
            };
            let count = block.append(&self.converted[appended..]);
            appended += count;
            self.position += count as u64;
        }
        self.converted.clear();
    }

    /// A block that the source is done with, or a new one.
    fn fresh_block(&mut self) -> Arc<Block> {
        self.block = None;
        if let Some(mut block) = self.free_blocks()
            && let Some(unshared) = Arc::get_mut(&mut block)
        {
            unshared.renew(self.generation, self.position);
            return block;
        }
        Arc::new(Block::new(self.generation, self.position))
    }

    /// Frees the blocks that the source is done with, except one.
    pub(super) fn free_blocks(&mut self) -> Option<Arc<Block>> {
        let mut free = None;
        while let Some(front) = self.lent.front_mut()
            && Arc::get_mut(front).is_some()
        {
            free = self.lent.pop_front();
        }
        free
    }
}

/// How many samples of the input are converted at a time.
const PART_SAMPLES: usize = 1_024;

/// Places for blocks beside those of the samples accepted: one begun, and two for a flush.
pub(super) const SPARE_BLOCKS: usize = 4;
