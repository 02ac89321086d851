//! Which encodings of a track its listeners need, and how many listen to each.
//!
//! The threads that negotiate write it, the media threads count in it, and the thread that encodes
//! reads it, all without a lock: a row is one word with everything that must change together.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use skywave_audio::Packetization;
use skywave_peer::StreamKey;

/// The encodings of one track.
pub(crate) struct EncodingTable {
    track: u64,
    rows: Box<[Row]>,
}

/// One encoding. It is free while nobody holds a place in it.
struct Row {
    /// A [`RowState`].
    state: AtomicU64,
    /// Connected listeners of each shard: nothing is encoded for nobody.
    heard: Box<[AtomicU32]>,
}

/// A place in the audience of one encoding. It must be given back by [`EncodingTable::release`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StreamPlace {
    row: usize,
    /// The stream on the engine's hub.
    pub(crate) stream: StreamKey,
    pub(crate) packetization: Packetization,
}

impl EncodingTable {
    /// A table of so many encodings, one at least.
    pub(crate) fn new(track: u64, limit: usize, shards: usize) -> Self {
        let row = |_| Row {
            state: AtomicU64::new(0),
            heard: (0..shards).map(|_| AtomicU32::new(0)).collect(),
        };
        let limit = limit.clamp(1, MAX_ROWS);
        Self {
            track,
            rows: (0..limit).map(row).collect(),
        }
    }

    /// A place at the encoding that is needed. If there is no room for another encoding, at the
    /// one that comes nearest among those that will do; none if none does.
    pub(crate) fn reserve(&self, needed: Packetization) -> Option<StreamPlace> {
        let key = needed.to_bits();
        self.take_any(|state| state.holders > 0 && state.key == key, key)
            .or_else(|| self.take_any(|state| state.holders == 0, key))
            .or_else(|| self.take_nearest(needed))
    }

    /// Gives a place back.
    pub(crate) fn release(&self, place: StreamPlace) {
        let state = &self.rows[place.row].state;
        // The holders are the lowest bits, and this one is among them.
        state.fetch_sub(1, AcqRel);
    }

    /// A listener with a place is connected.
    pub(crate) fn join(&self, shard: usize, place: StreamPlace) {
        self.rows[place.row].heard[shard].fetch_add(1, Release);
    }

    /// It is gone.
    pub(crate) fn leave(&self, shard: usize, place: StreamPlace) {
        self.rows[place.row].heard[shard].fetch_sub(1, Release);
    }

    /// The encodings that somebody listens to.
    pub(crate) fn heard(&self) -> impl Iterator<Item = StreamPlace> {
        let held = self.held();
        held.filter(|(place, _)| self.listeners(*place) > 0)
            .map(|(place, _)| place)
    }

    /// The encodings that somebody has a place at, and how many have.
    pub(crate) fn held(&self) -> impl Iterator<Item = (StreamPlace, u32)> {
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(row, Row { state, .. })| {
            let state = RowState::from_bits(state.load(Acquire));
            let place = self.place(row, state)?;
            (state.holders > 0).then_some((place, state.holders))
        })
    }

    /// Whether anybody on a shard listens.
    pub(crate) fn is_heard_on(&self, shard: usize, place: StreamPlace) -> bool {
        self.rows[place.row].heard[shard].load(Acquire) > 0
    }

    /// How many listen.
    pub(crate) fn listeners(&self, place: StreamPlace) -> u32 {
        let heard = self.rows[place.row].heard.iter();
        heard.map(|shard| shard.load(Acquire)).sum()
    }

    /// How many encodings there may be.
    pub(crate) fn limit(&self) -> usize {
        self.rows.len()
    }

    fn place(&self, row: usize, state: RowState) -> Option<StreamPlace> {
        Some(StreamPlace {
            row,
            stream: self.stream(row, state.generation),
            packetization: Packetization::from_bits(state.key)?,
        })
    }

    /// A row that is used again is another stream: frames of the old one may still be on their
    /// way.
    fn stream(&self, row: usize, generation: u16) -> StreamKey {
        StreamKey(self.track << 32 | u64::from(generation) << 16 | row as u64)
    }

    fn take_nearest(&self, needed: Packetization) -> Option<StreamPlace> {
        let serve = |(place, _): &(StreamPlace, u32)| {
            let will_do = needed.is_served_by(&place.packetization);
            will_do.then_some(*place)
        };
        let candidates: Vec<_> = self.held().filter_map(|held| serve(&held)).collect();
        let nearest = candidates
            .into_iter()
            .max_by_key(|place| nearness(place.packetization))?;
        let key = nearest.packetization.to_bits();
        self.take_any(|state| state.holders > 0 && state.key == key, key)
    }

    /// Takes a place in the first row that is fit, which gets this key if it was free.
    fn take_any(&self, is_fit: impl Fn(RowState) -> bool, key: u32) -> Option<StreamPlace> {
        (0..self.rows.len()).find_map(|row| {
            let taken = |bits| {
                let state = RowState::from_bits(bits);
                let room = is_fit(state) && state.holders < MAX_HOLDERS;
                room.then(|| state.with_another(key).to_bits())
            };
            let before = self.rows[row].state.fetch_update(AcqRel, Relaxed, taken);
            self.place(row, RowState::from_bits(before.ok()?).with_another(key))
        })
    }
}

/// What a row's word says.
#[derive(Clone, Copy)]
struct RowState {
    /// [`Packetization::to_bits`].
    key: u32,
    /// How often the row was taken into use, modulo 4,096.
    generation: u16,
    /// Places taken.
    holders: u32,
}

impl RowState {
    fn from_bits(bits: u64) -> Self {
        Self {
            key: (bits >> 32) as u32,
            generation: (bits >> 20) as u16 & 0x0fff,
            holders: bits as u32 & MAX_HOLDERS,
        }
    }

    fn to_bits(self) -> u64 {
        u64::from(self.key) << 32 | u64::from(self.generation) << 20 | u64::from(self.holders)
    }

    /// With one more place taken, by somebody who needs `key`.
    fn with_another(self, key: u32) -> Self {
        let first = u16::from(self.holders == 0);
        Self {
            key,
            generation: (self.generation + first) & 0x0fff,
            holders: self.holders + 1,
        }
    }
}

/// Among the encodings that will do, the one that gives up least: the highest limit of the bit
/// rate, stereo, the widest band, the longest packets.
fn nearness(packetization: Packetization) -> (u32, bool, u32, u32) {
    use skywave_audio::{Encoding, OpusBitrate};
    let ptime = packetization.ptime.milliseconds();
    match packetization.encoding {
        Encoding::Opus(receiver) => {
            let most = receiver.max_bitrate.unwrap_or(OpusBitrate::MAX);
            let band = receiver.max_bandwidth.sample_rate();
            (most.bits(), receiver.stereo, band, ptime)
        }
        _ => (0, false, 0, ptime),
    }
}

/// As many as a stream's number has room for.
const MAX_ROWS: usize = 1 << 16;
/// Places in one encoding: 20 bits.
const MAX_HOLDERS: u32 = (1 << 20) - 1;

#[cfg(test)]
mod tests {
    use std::thread;

    use skywave_audio::{Encoding, OpusBitrate, OpusReceiver, Ptime};

    use super::*;

    fn limited(bits: u32) -> Packetization {
        let receiver = OpusReceiver {
            max_bitrate: OpusBitrate::step_at_most(bits),
            ..OpusReceiver::MONO
        };
        Packetization::new(Encoding::Opus(receiver), Ptime::Ms20)
    }

    #[test]
    fn who_needs_the_same_gets_the_same_stream() {
        let table = EncodingTable::new(7, 16, 1);
        let [first, other, again] =
            [32_000, 64_000, 32_000].map(|bits| table.reserve(limited(bits)).unwrap());
        assert_eq!(first, again);
        assert_ne!(first.stream, other.stream);
        let held: Vec<_> = table.held().collect();
        assert_eq!(held, [(first, 2), (other, 1)]);
        assert_eq!(table.heard().count(), 0);
        table.join(0, other);
        assert!(table.heard().eq([other]));
    }

    #[test]
    fn row_that_is_used_again_is_another_stream() {
        let table = EncodingTable::new(0, 1, 1);
        let first = table.reserve(limited(32_000)).unwrap();
        table.release(first);
        assert_eq!(table.held().count(), 0);
        let second = table.reserve(limited(32_000)).unwrap();
        assert_ne!(first.stream, second.stream);
    }

    #[test]
    fn streams_of_different_tracks_differ() {
        let place = |track| {
            EncodingTable::new(track, 16, 1)
                .reserve(limited(32_000))
                .unwrap()
        };
        assert_ne!(place(1).stream, place(2).stream);
    }

    #[test]
    fn without_room_for_another_encoding_the_nearest_that_will_do_is_taken() {
        let table = EncodingTable::new(0, 3, 1);
        for bits in [16_000, 32_000, 64_000] {
            table.reserve(limited(bits)).unwrap();
        }
        let nearest = table.reserve(limited(48_000)).unwrap();
        assert_eq!(nearest.packetization, limited(32_000));
        assert_eq!(
            table.reserve(limited(8_000)),
            None,
            "all are beyond its limit"
        );
        let long = Packetization {
            ptime: Ptime::Ms60,
            ..limited(510_000)
        };
        let nearest = table.reserve(long).unwrap();
        assert_eq!(nearest.packetization, limited(64_000));
        let pcmu = Packetization::new(Encoding::Pcmu, Ptime::Ms20);
        assert_eq!(table.reserve(pcmu), None);
    }

    #[test]
    fn places_taken_and_given_back_on_many_threads_are_counted_right() {
        let table = EncodingTable::new(0, 16, 1);
        thread::scope(|scope| {
            for thread in 0..4 {
                let table = &table;
                scope.spawn(move || {
                    for round in 0..1_000 {
                        let bits = [16_000, 32_000][(thread + round) % 2];
                        let place = table.reserve(limited(bits)).unwrap();
                        assert_eq!(place.packetization, limited(bits));
                        table.join(0, place);
                        table.leave(0, place);
                        table.release(place);
                    }
                });
            }
        });
        assert_eq!((table.held().count(), table.heard().count()), (0, 0));
        assert_eq!(table.listeners(table.reserve(limited(16_000)).unwrap()), 0);
    }
}
