//! The way of a datagram to its peer: STUN by its user name fragment, everything else by the path
//! that a check came over.

use std::time::Instant;

use skywave_ice::{Class, Path, StunMessage};

use super::Hub;
use crate::demux::Protocol;
use crate::drop_reason::DropReason;
use crate::event::Io;
use crate::peer::Peer;

impl Hub {
    /// Handles one datagram. What is not for us, or hostile, is dropped and counted.
    pub fn handle_datagram(&mut self, path: Path, datagram: &mut [u8], io: &mut Io<'_>) {
        let dropped = match Protocol::of(datagram) {
            Protocol::Stun => self.handle_stun(path, datagram, io),
            Protocol::Dtls => self.handle_dtls(path, datagram, io),
            Protocol::Srtcp => self.handle_srtcp(path, datagram, io),
            Protocol::Srtp => Err(DropReason::UnexpectedRtp),
            Protocol::Unknown => Err(DropReason::UnknownProtocol),
        };
        if let Err(reason) = dropped {
            self.drops.add(reason);
        }
    }

    fn handle_stun(
        &mut self,
        path: Path,
        datagram: &[u8],
        io: &mut Io<'_>,
    ) -> Result<(), DropReason> {
        let message = StunMessage::parse(datagram)?;
        if matches!(message.class(), Class::Success | Class::Error) {
            return self.handle_stun_response(path, &message, io);
        }
        let ufrag = message.local_ufrag().ok_or(DropReason::UnknownUfrag)?;
        let index = *self.by_ufrag.get(ufrag).ok_or(DropReason::UnknownUfrag)?;
        if self.is_taken(path, index, io.now) {
            return Err(DropReason::PathTaken);
        }
        let peer = self.peer(index).ok_or(DropReason::UnknownUfrag)?;
        let step = peer.handle_check(path, &message, io)?;
        let forgotten = peer.forget_path();
        self.by_path.insert(path, index);
        if let Some(forgotten) = forgotten
            && self.by_path.get(&forgotten) == Some(&index)
        {
            self.by_path.remove(&forgotten);
        }
        self.forget_retired_ufrag(index);
        self.apply(index, step, io);
        Ok(())
    }

    /// A response names nobody: it is for the peer whose check came from its address.
    fn handle_stun_response(
        &mut self,
        path: Path,
        response: &StunMessage<'_>,
        io: &mut Io<'_>,
    ) -> Result<(), DropReason> {
        let stranger = DropReason::UnexpectedStun;
        let index = *self.by_path.get(&path).ok_or(stranger)?;
        let peer = self.peer(index).ok_or(stranger)?;
        let step = peer.handle_response(path, response, io)?;
        self.forget_retired_ufrag(index);
        self.apply(index, step, io);
        Ok(())
    }

    /// After an ICE restart that came to its end.
    fn forget_retired_ufrag(&mut self, index: u32) {
        if let Some(retired) = self.peer(index).and_then(Peer::retired_ufrag) {
            self.by_ufrag.remove(&*retired);
        }
    }

    /// Whether another peer is at this address. A sender's address is easily forged: without this
    /// a listener could have what another one sends taken for its own.
    fn is_taken(&self, path: Path, index: u32, now: Instant) -> bool {
        let owner = self.by_path.get(&path).filter(|&&owner| owner != index);
        owner
            .and_then(|&owner| self.peers.get(owner as usize)?.as_ref())
            .is_some_and(|owner| owner.holds(path, now))
    }

    fn handle_dtls(
        &mut self,
        path: Path,
        datagram: &[u8],
        io: &mut Io<'_>,
    ) -> Result<(), DropReason> {
        let stranger = DropReason::DtlsFromStranger;
        let index = *self.by_path.get(&path).ok_or(stranger)?;
        let peer = self.peer(index).ok_or(stranger)?;
        let step = peer.handle_dtls(path, datagram, io)?;
        self.apply(index, step, io);
        Ok(())
    }

    fn handle_srtcp(
        &mut self,
        path: Path,
        datagram: &mut [u8],
        io: &mut Io<'_>,
    ) -> Result<(), DropReason> {
        let stranger = DropReason::RtcpFromStranger;
        let index = *self.by_path.get(&path).ok_or(stranger)?;
        let timestamp = self.timestamp(index, io);
        let peer = self.peer(index).ok_or(stranger)?;
        let step = peer.handle_rtcp(path, datagram, timestamp, io)?;
        self.apply(index, step, io);
        Ok(())
    }
}
