//! What is decoded ahead: plays once enough is there, and again once enough is
//! there after it ran dry.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use crate::UrlConfig;

/// Makes both ends, of the sizes configured.
pub(crate) fn jitter_buffer(config: &UrlConfig) -> (Writer, JitterBuffer) {
    let most = blocks(config.max_buffer.max(config.start_buffer)).max(MIN_BLOCKS);
    let (sender, receiver) = sync_channel(most);
    let level = Arc::new(Level::default());
    let buffer = JitterBuffer {
        blocks: receiver,
        level: Arc::clone(&level),
        start: blocks(config.start_buffer).clamp(1, most),
        block: Box::default(),
        position: 0,
        filling: true,
        ended: false,
    };
    let writer = Writer {
        blocks: sender,
        level,
    };
    (writer, buffer)
}

/// The end of the thread that decodes.
pub(crate) struct Writer {
    blocks: SyncSender<Box<[[f32; 2]]>>,
    level: Arc<Level>,
}

impl Writer {
    /// Waits for room for the whole blocks at the front of `pcm`, and takes them
    /// out; false once the other end is gone.
    pub(crate) fn send(&self, pcm: &mut Vec<[f32; 2]>) -> bool {
        let whole = pcm.len() - pcm.len() % BLOCK_SAMPLES;
        let sent = pcm[..whole].chunks(BLOCK_SAMPLES).all(|block| {
            self.level.blocks.fetch_add(1, Relaxed);
            self.blocks.send(block.into()).is_ok()
        });
        pcm.drain(..whole);
        sent
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.level.is_last.store(true, SeqCst);
    }
}

/// How full the queue is.
#[derive(Default)]
pub(crate) struct Level {
    /// Blocks in it, or just about to be.
    blocks: AtomicUsize,
    /// What is there is the last.
    is_last: AtomicBool,
}

impl Level {
    /// How much waits to be played.
    pub(crate) fn buffered(&self) -> Duration {
        BLOCK_DURATION * self.blocks.load(Relaxed) as u32
    }
}

/// The end of the source.
pub(crate) struct JitterBuffer {
    blocks: Receiver<Box<[[f32; 2]]>>,
    level: Arc<Level>,
    /// Blocks with which it plays.
    start: usize,
    block: Box<[[f32; 2]]>,
    position: usize,
    filling: bool,
    ended: bool,
}

impl JitterBuffer {
    /// Copies what is to be played now, without waiting.
    pub(crate) fn read(&mut self, pcm: &mut [[f32; 2]]) -> usize {
        let mut written = 0;
        while written < pcm.len() {
            let rest = &self.block[self.position..];
            if rest.is_empty() && !self.next_block() {
                break;
            }
            let rest = &self.block[self.position..];
            let count = rest.len().min(pcm.len() - written);
            pcm[written..written + count].copy_from_slice(&rest[..count]);
            written += count;
            self.position += count;
        }
        written
    }

    /// True once enough is there to play.
    pub(crate) fn ready(&self) -> bool {
        let is_full = self.level.blocks.load(Relaxed) >= self.start;
        !self.filling || is_full || self.level.is_last.load(SeqCst)
    }

    /// True once the other end is gone and everything has been read.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// How full it is, for handles.
    pub(crate) fn level(&self) -> Arc<Level> {
        Arc::clone(&self.level)
    }

    fn next_block(&mut self) -> bool {
        if !self.ready() {
            return false;
        }
        match self.blocks.try_recv() {
            Ok(block) => {
                self.level.blocks.fetch_sub(1, Relaxed);
                (self.block, self.position) = (block, 0);
                self.filling = false;
            }
            Err(TryRecvError::Empty) => self.filling = true,
            Err(TryRecvError::Disconnected) => self.ended = true,
        }
        !self.filling && !self.ended
    }
}

fn blocks(duration: Duration) -> usize {
    (duration.min(MAX_BUFFER).as_millis() / BLOCK_DURATION.as_millis()) as usize
}

/// 20 ms.
const BLOCK_SAMPLES: usize = 960;
const BLOCK_DURATION: Duration = Duration::from_millis(20);
const MIN_BLOCKS: usize = 2;
/// More is taken for this.
const MAX_BUFFER: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(start: u64, most: u64) -> (Writer, JitterBuffer) {
        jitter_buffer(&UrlConfig {
            start_buffer: Duration::from_millis(start),
            max_buffer: Duration::from_millis(most),
            ..UrlConfig::default()
        })
    }

    fn send(writer: &Writer, blocks: usize) {
        assert!(writer.send(&mut vec![[0.5; 2]; blocks * BLOCK_SAMPLES]));
    }

    #[test]
    fn it_plays_once_it_is_filled_and_fills_again_when_it_ran_dry() {
        let (writer, mut buffer) = buffer(60, 200);
        let mut pcm = [[0.0; 2]; 5_000];
        for _ in 0..2 {
            send(&writer, 2);
            assert_eq!(buffer.read(&mut pcm), 0);
            assert_eq!(buffer.level().buffered(), Duration::from_millis(40));
            send(&writer, 1);
            assert_eq!(buffer.read(&mut pcm[..1_000]), 1_000);
            assert_eq!(buffer.read(&mut pcm), 1_880);
            assert_eq!(buffer.read(&mut pcm), 0);
        }
        assert!(!buffer.ended());
    }

    #[test]
    fn the_last_blocks_are_played_however_few() {
        let (writer, mut buffer) = buffer(60, 200);
        send(&writer, 1);
        let mut pcm = [[0.0; 2]; 5_000];
        assert_eq!(buffer.read(&mut pcm), 0);
        drop(writer);
        assert_eq!((buffer.read(&mut pcm), buffer.ended()), (960, true));
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let (writer, buffer) = buffer(60, 200);
        send(&writer, 10);
        assert!(writer.blocks.try_send(Box::default()).is_err());
        drop(buffer);
        assert!(!writer.send(&mut vec![[0.5; 2]; BLOCK_SAMPLES]));
    }
}
