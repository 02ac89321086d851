//! All peers behind one port.

mod datagram;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use skywave_ice::{Credentials, Path};

use crate::demands::Demands;
use crate::drop_reason::DropCounters;
use crate::event::{CloseReason, FailureReason, Io, PeerEvent, PeerId};
use crate::outbox::Outbox;
use crate::peer::{Peer, Step};
use crate::remote::Remote;
use crate::send_options::SendOptions;
use crate::send_state::Moment;
use crate::send_states::SendStates;
use crate::stream::{Cursor, Stream, StreamFrame, StreamKey};
use crate::sweep::Sweep;
use crate::totals::Totals;

/// All peers behind one port: tells them apart, hands them what is theirs, and sends frames to
/// those who listen.
///
/// One thread owns it. Every call leaves its datagrams in the [`Outbox`] at once; the owner makes
/// sure before each that [`Outbox::RESERVE`] slots are free.
#[derive(Default)]
pub struct Hub {
    /// Cold state by slab position.
    peers: Vec<Option<Peer>>,
    /// When each peer is due, by the same position: a sweep reads nothing else of those who are
    /// not.
    due: Vec<Instant>,
    /// Hot state by the same position.
    senders: SendStates,
    vacant: Vec<u32>,
    by_id: HashMap<PeerId, u32>,
    by_ufrag: HashMap<String, u32>,
    by_path: HashMap<Path, u32>,
    streams: HashMap<StreamKey, Stream>,
    drops: Arc<DropCounters>,
    totals: Arc<Totals>,
    /// The sweep that goes on.
    sweep: Sweep,
}

impl Hub {
    /// A hub without peers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Peers, connected or not.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// True if there is no peer.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Datagrams dropped, by reason.
    pub fn drops(&self) -> &Arc<DropCounters> {
        &self.drops
    }

    /// What all peers were sent and reported, those that left included.
    pub fn totals(&self) -> &Arc<Totals> {
        &self.totals
    }

    /// Peers that receive a stream.
    pub fn listeners(&self, stream: StreamKey) -> usize {
        self.streams.get(&stream).map_or(0, Stream::len)
    }

    /// Takes a peer in; it answers connectivity checks from now on.
    pub fn add(&mut self, peer: Peer, io: &mut Io<'_>) {
        if self.by_ufrag.contains_key(peer.ufrag()) {
            let failed = PeerEvent::Failed(FailureReason::DuplicateUfrag);
            io.events.push((peer.id(), failed));
            return;
        }
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.due.push(io.now);
            // One peer takes more than a byte: there are never 2^32.
            (self.peers.len() - 1) as u32
        });
        self.by_id.insert(peer.id(), index);
        self.by_ufrag.insert(peer.ufrag().to_owned(), index);
        self.due[index as usize] = peer.next_due();
        self.peers[index as usize] = Some(peer);
    }

    /// Takes over a peer's remote description. Unknown peers are ignored: they may be gone already.
    pub fn set_remote(&mut self, id: PeerId, remote: Remote, io: &mut Io<'_>) {
        if let Some((index, peer)) = self.find(id) {
            let step = peer.set_remote(remote, io);
            self.apply(index, step, io);
        }
    }

    /// Has a peer's checks answered with new credentials too, until it nominates a path with them:
    /// media then follows there, and the old credentials are void (ICE restart, RFC 8445 §9).
    /// Unknown peers, and a fragment that another peer has, are ignored: the peer will ask again.
    pub fn restart_ice(&mut self, id: PeerId, local: &Credentials, remote: Credentials) {
        if self.by_ufrag.contains_key(local.ufrag()) {
            return;
        }
        let Some((index, peer)) = self.find(id) else {
            return;
        };
        let void = peer.restart_ice(local, remote);
        self.by_ufrag.insert(local.ufrag().to_owned(), index);
        if let Some(void) = void {
            self.by_ufrag.remove(&void);
        }
    }

    /// Hangs a peer up: RTCP BYE and DTLS close_notify. False if there is no such peer.
    pub fn close(&mut self, id: PeerId, io: &mut Io<'_>) -> bool {
        let Some(&index) = self.by_id.get(&id) else {
            return false;
        };
        let timestamp = self.timestamp(index, io);
        if let Some(peer) = &mut self.peers[index as usize] {
            peer.hang_up(timestamp, io);
        }
        self.apply(index, Step::End(PeerEvent::Closed(CloseReason::Local)), io);
        true
    }

    /// The name of any peer that is left.
    pub fn any_peer(&self) -> Option<PeerId> {
        self.by_id.keys().next().copied()
    }

    /// Does what is due at all peers. False if the outbox filled up first: send it and call again.
    ///
    /// A peer that is not due costs one comparison, so there is no timer queue; call it every
    /// 10 ms or so.
    pub fn handle_timeouts(&mut self, io: &mut Io<'_>) -> bool {
        if self.sweep.is_over() {
            self.sweep.begin(&self.due, io.now);
        }
        while let Some(index) = self.sweep.next_peer(&self.peers) {
            if io.outbox.free() < Outbox::RESERVE {
                return false;
            }
            self.sweep.advance();
            if self.due[index as usize] <= io.now {
                let timestamp = self.timestamp(index, io);
                if let Some(peer) = &mut self.peers[index as usize] {
                    let step = peer.handle_timeout(timestamp, io);
                    peer.settle(&self.totals);
                    self.apply(index, step, io);
                }
            }
        }
        true
    }

    /// Starts a frame; the cursor leads it through its audience by calls of [`Self::fill`]. None
    /// if nobody listens.
    pub fn begin(&mut self, frame: StreamFrame) -> Option<Cursor> {
        Some(self.streams.get_mut(&frame.stream)?.begin(frame))
    }

    /// Sends the frame to up to `limit` more listeners, or until the outbox is full, and notes with
    /// each that it is `late` by so much. Returns how many are left.
    pub fn fill(
        &mut self,
        cursor: &mut Cursor,
        limit: usize,
        late: Duration,
        io: &mut Io<'_>,
    ) -> usize {
        let Some(stream) = self.streams.get(&cursor.stream) else {
            return 0;
        };
        let moment = Moment::of(io);
        let micros = u32::try_from(late.as_micros()).unwrap_or(u32::MAX);
        let unserved = stream.unserved(cursor);
        let batch = limit.min(io.outbox.free()).min(unserved.len());
        let (batch, rest) = unserved.split_at(batch);
        for (position, &index) in batch.iter().enumerate() {
            self.senders.prefetch(batch, position);
            if let Some((state, path)) = self.senders.get_mut(index)
                && state.send(&stream.history, cursor.number, moment, path, io.outbox)
            {
                state.counters().record_lateness(micros);
            }
        }
        cursor.next = rest.first().copied().unwrap_or(u32::MAX);
        rest.len()
    }

    /// Repeats up to two earlier frames in every packet to a peer from the next one on (RFC 2198),
    /// as far as the peer agreed to it and the bit rate it allows suffices; 0 repeats none. Packets
    /// may be still to come.
    pub fn set_redundancy(&mut self, id: PeerId, frames: u8) {
        if let Some((_, peer)) = self.find(id) {
            peer.set_redundancy(frames);
        }
        self.configure(id, |options| options.set_redundancy(frames));
    }

    /// Sends digits in place of audio (RFC 4733) to a connected peer that takes telephone events;
    /// digits inserted before that have not begun are replaced. The caller has checked them (see
    /// [`ToneSender::insert`](skywave_rtp::ToneSender::insert)).
    pub fn insert_dtmf(&mut self, id: PeerId, digits: &str, duration: Duration, gap: Duration) {
        self.configure(id, |options| options.insert_dtmf(digits, duration, gap));
    }

    fn configure(&mut self, id: PeerId, change: impl FnOnce(&mut SendOptions)) {
        let Some(&index) = self.by_id.get(&id) else {
            return;
        };
        if let Some((state, _)) = self.senders.get_mut(index) {
            state.configure(change);
        }
    }

    fn obey(&mut self, index: u32, demands: &Demands, io: &mut Io<'_>) {
        let stream = self.stream_of(index).and_then(|key| self.streams.get(&key));
        let Some((state, path)) = self.senders.get_mut(index) else {
            return;
        };
        if let Some(source) = demands.source {
            state.change_source(source);
        }
        if let Some(bits) = demands.max_bitrate {
            state.configure(|options| options.request_max_bitrate(bits));
        }
        if let Some(frames) = demands.redundancy {
            state.configure(|options| options.repair(frames));
        }
        let moment = Moment::of(io);
        for &number in demands.lost.numbers() {
            if let Some(stream) = stream {
                state.retransmit(&stream.history, number, moment, path, io.outbox);
            }
        }
    }

    fn apply(&mut self, index: u32, step: Step, io: &mut Io<'_>) {
        match step {
            Step::Stay => {}
            Step::Send(state, path) => {
                let stream = self.stream_of(index);
                self.senders.insert(index, *state, path);
                if let Some(stream) = stream {
                    self.streams.entry(stream).or_default().insert(index);
                }
            }
            Step::Move(path) => {
                if self.senders.redirect(index, path)
                    && let Some(peer) = &self.peers[index as usize]
                {
                    io.events.push((peer.id(), PeerEvent::Moved(path)));
                }
            }
            Step::Obey(demands) => {
                if let Some(peer) = &mut self.peers[index as usize] {
                    peer.settle(&self.totals);
                }
                self.obey(index, &demands, io);
            }
            Step::End(event) => self.remove(index, event, io),
        }
        if let Some(peer) = &self.peers[index as usize] {
            self.due[index as usize] = peer.next_due();
        }
    }

    fn remove(&mut self, index: u32, event: PeerEvent, io: &mut Io<'_>) {
        let Some(mut peer) = self.peers[index as usize].take() else {
            return;
        };
        peer.settle(&self.totals);
        if self.senders.remove(index)
            && let Some(remote) = peer.remote()
            && let Some(stream) = self.streams.get_mut(&remote.stream)
            && stream.remove(index)
        {
            self.streams.remove(&remote.stream);
        }
        self.by_id.remove(&peer.id());
        self.by_ufrag.remove(peer.ufrag());
        if let Some(ufrag) = peer.restarting_ufrag() {
            self.by_ufrag.remove(ufrag);
        }
        for path in peer.paths() {
            // The address may belong to a newer peer by now.
            if self.by_path.get(path) == Some(&index) {
                self.by_path.remove(path);
            }
        }
        self.vacant.push(index);
        self.due[index as usize] = io.now + NEVER;
        io.events.push((peer.id(), event));
    }

    fn find(&mut self, id: PeerId) -> Option<(u32, &mut Peer)> {
        let index = *self.by_id.get(&id)?;
        Some((index, self.peers[index as usize].as_mut()?))
    }

    fn peer(&mut self, index: u32) -> Option<&mut Peer> {
        self.peers.get_mut(index as usize)?.as_mut()
    }

    fn stream_of(&self, index: u32) -> Option<StreamKey> {
        let peer = self.peers.get(index as usize)?.as_ref()?;
        Some(peer.remote()?.stream)
    }

    /// The RTP timestamp of this moment on the wire of one peer.
    fn timestamp(&self, index: u32, io: &Io<'_>) -> Option<u32> {
        let state = self.senders.get(index)?;
        let stream = self.streams.get(&self.stream_of(index)?)?;
        Some(state.timestamp(stream.timestamp_at(io.now)?))
    }
}

/// When a place without a peer is due.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
