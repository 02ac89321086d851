//! Something like speech, so that encoders work as hard as they would, and a source that is fed
//! with it from another thread.

use std::f32::consts::TAU;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use skywave::AudioSource;

/// 20 ms.
pub(crate) type Block = Box<[[f32; 2]; 960]>;

/// Ten seconds of syllables: harmonics of a moving pitch, noise between them, pauses.
pub(crate) fn speech() -> Vec<[f32; 2]> {
    let (mut phase, mut random) = (0.0_f32, 1_u32);
    let sample = |n: usize| {
        let seconds = n as f32 / 48_000.0;
        let pitch = 140.0 + 30.0 * (TAU * 0.7 * seconds).sin();
        phase = (phase + pitch / 48_000.0).fract();
        let syllable = (TAU * 3.1 * seconds).sin().max(0.0);
        let word = if (seconds * 0.8).fract() < 0.85 {
            1.0
        } else {
            0.0
        };
        let voiced: f32 = (1..24)
            .map(|harmonic| {
                (TAU * phase * harmonic as f32).sin() * formant(pitch * harmonic as f32)
            })
            .sum();
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = random as i32 as f32 / i32::MAX as f32;
        let unvoiced = noise * 0.15 * (TAU * 3.1 * seconds).cos().max(0.0);
        [(0.12 * voiced * syllable + unvoiced) * word + noise * 0.001; 2]
    };
    (0..480_000).map(sample).collect()
}

fn formant(frequency: f32) -> f32 {
    let peak = |center: f32, width: f32| 1.0 / (1.0 + ((frequency - center) / width).powi(2));
    peak(550.0, 150.0) + 0.6 * peak(1_500.0, 200.0) + 0.3 * peak(2_500.0, 300.0)
}

/// A source that plays what arrives.
pub(crate) struct Fed {
    blocks: Receiver<Block>,
    block: Option<(Block, usize)>,
}

impl Fed {
    /// The source and the end that feeds it, with room for 160 ms.
    pub(crate) fn new() -> (Self, SyncSender<Block>) {
        let (sender, blocks) = sync_channel(8);
        let source = Self {
            blocks,
            block: None,
        };
        (source, sender)
    }
}

impl AudioSource for Fed {
    fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let mut filled = 0;
        while filled < pcm.len() {
            let Some((block, used)) = &mut self.block else {
                let Ok(block) = self.blocks.try_recv() else {
                    break;
                };
                self.block = Some((block, 0));
                continue;
            };
            let count = (block.len() - *used).min(pcm.len() - filled);
            pcm[filled..filled + count].copy_from_slice(&block[*used..*used + count]);
            (filled, *used) = (filled + count, *used + count);
            if *used == block.len() {
                self.block = None;
            }
        }
        filled
    }
}

/// One track's feed, and where in the speech it is.
pub(crate) struct Feed {
    sender: SyncSender<Block>,
    position: usize,
}

impl Feed {
    /// Every track says something else at a time.
    pub(crate) fn new(sender: SyncSender<Block>, track: usize) -> Self {
        let position = track * 7_919 % 500 * 960;
        Self { sender, position }
    }

    /// Pushes blocks until there is no room. False if the source is gone.
    pub(crate) fn fill(&mut self, speech: &[[f32; 2]]) -> bool {
        loop {
            let block: &[[f32; 2]; 960] = speech[self.position..]
                .first_chunk()
                .expect("positions are whole blocks of the speech");
            match self.sender.try_send(Box::new(*block)) {
                Ok(()) => self.position = (self.position + 960) % speech.len(),
                Err(TrySendError::Full(_)) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
            }
        }
    }
}
