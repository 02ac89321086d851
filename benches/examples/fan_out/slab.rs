//! The stages of a packet one by one: packetizers and SRTP laid out as the hub's send states are,
//! without the hub.

use std::ops::Range;
use std::sync::Arc;

use skywave_benches::{COUNTERS_AHEAD, Listener, STATES_AHEAD, Schedule};
use skywave_ice::Path;
use skywave_peer::Outbox;
use skywave_prefetch::{ahead, prefetch, prefetch_first_line};
use skywave_rtp::{
    Counters, Departure, ExtensionIds, History, Mid, NtpTime, Packetizer, PacketizerConfig, Packing,
};
use skywave_srtp::{MAX_RTP_OVERHEAD, MasterKey, Profile, SrtpSender};

use crate::media_loop::{frame, path_of};
use crate::offer::{DATAGRAM_OCTETS, FRAME, PAYLOAD_OCTETS};
use crate::stopwatch::Stopwatch;

/// Send states side by side in blocks.
pub(crate) struct Slab {
    blocks: Vec<Box<[State]>>,
    /// Of the states, from 0.
    numbers: Vec<usize>,
    paths: Vec<Path>,
    history: History,
    frames: u32,
    outbox: Outbox,
    payload: Arc<[u8]>,
}

#[repr(align(64))]
struct State {
    srtp: SrtpSender,
    packetizer: Packetizer,
    /// What the hub keeps beside these, so that one state is as far from the next.
    _rest: [usize; 2],
}

/// How far packets are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Header, payload, counters.
    Packetize,
    /// And SRTP.
    Protect,
}

impl Slab {
    /// States of listeners who are counted there.
    pub(crate) fn new(counters: &[Arc<Counters>], profile: Profile) -> Slab {
        let listeners = counters.len();
        let numbers: Vec<usize> = (0..listeners).collect();
        let blocks = numbers.chunks(BLOCK);
        let state = |&number: &usize| State::new(number as u32, profile, &counters[number]);
        Slab {
            blocks: blocks
                .map(|block| block.iter().map(state).collect())
                .collect(),
            numbers,
            paths: (0..listeners).map(path_of).collect(),
            history: History::default(),
            frames: 0,
            outbox: Outbox::new(),
            payload: vec![0x55; PAYLOAD_OCTETS].into(),
        }
    }

    /// Makes one frame's packets for everybody, as far as `stage`, in the media thread's batches.
    /// Before each `disturb` is called, which is not measured.
    pub(crate) fn play_frame(
        &mut self,
        stage: Stage,
        disturb: &mut dyn FnMut(),
        stopwatch: &mut Stopwatch,
    ) {
        self.frames += 1;
        let number = self
            .history
            .push(frame(&self.payload, self.frames, NtpTime(0)));
        let mut served = 0;
        for limit in Schedule::of(self.paths.len(), FRAME).batches() {
            disturb();
            stopwatch.start();
            let end = (served + limit).min(self.paths.len());
            for index in served..end {
                self.prefetch(served..end, index);
                self.send(index, number, stage);
            }
            self.outbox.clear();
            stopwatch.stop();
            served += limit;
        }
    }

    /// As the hub does.
    fn prefetch(&self, batch: Range<usize>, index: usize) {
        let (position, numbers) = (index - batch.start, &self.numbers[batch]);
        let state = |index: usize| &self.blocks[index / BLOCK][index % BLOCK];
        ahead(numbers, position, STATES_AHEAD, |later| {
            prefetch(state(later));
        });
        ahead(numbers, position, COUNTERS_AHEAD, |later| {
            prefetch_first_line(&**state(later).packetizer.counters());
        });
    }

    #[inline]
    fn send(&mut self, index: usize, number: u32, stage: Stage) {
        let state = &mut self.blocks[index / BLOCK][index % BLOCK];
        let Some(slot) = self.outbox.slot() else {
            return;
        };
        let (room, _) = slot.split_at_mut(Outbox::DATAGRAM - MAX_RTP_OVERHEAD);
        let written = state.packetizer.write(
            &self.history,
            number,
            Packing::Plain,
            Departure::default(),
            room,
        );
        let written = written.expect("the slot holds the packet");
        let mut len = written.len;
        if stage != Stage::Packetize {
            let protected = state.srtp.protect(slot, written.header_len, written.len);
            len = protected.expect("a stream in order is protected");
            debug_assert_eq!(len, DATAGRAM_OCTETS);
        }
        self.outbox.commit(len, self.paths[index]);
    }
}

impl State {
    fn new(number: u32, profile: Profile, counters: &Arc<Counters>) -> State {
        let listener = Listener::new(profile, number);
        let master = MasterKey::new(listener.profile, listener.key(), listener.salt());
        let config = PacketizerConfig {
            ssrc: listener.ssrc,
            payload_type: 0,
            comfort_noise: None,
            first_sequence_number: 0,
            timestamp_offset: number,
            extensions: ExtensionIds {
                mid: Some(Mid::new(4, "0").expect("so short a mid is carried")),
                audio_level: Some(1),
                ..ExtensionIds::default()
            },
        };
        let packetizer = Packetizer::new(config, Arc::clone(counters));
        State {
            srtp: SrtpSender::new(&master.expect("the lengths are the profile's")),
            packetizer: packetizer.expect("the configuration is valid"),
            _rest: [0; 2],
        }
    }
}

/// As the hub's.
const BLOCK: usize = 64;
