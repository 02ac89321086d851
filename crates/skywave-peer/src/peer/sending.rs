//! From a finished handshake to media: what the sending and the reporting of a peer are made of.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use skywave_ice::Path;
use skywave_rtp::{Packetizer, PacketizerConfig, RtxConfig, RtxPacketizer};
use skywave_srtp::{SrtcpReceiver, SrtcpSender};

use super::{Peer, Phase};
use crate::event::{Connection, FailureReason, Io, PeerEvent};
use crate::protection::Protection;
use crate::remote::Remote;
use crate::reporter::{Reporter, ReporterConfig};
use crate::send_options::SendOptions;
use crate::send_state::SendState;

impl Peer {
    /// Media needs a finished handshake, the announced certificate, and a nominated path that is
    /// proven to be the peer's: if the handshake did not prove it, it is asked.
    pub(super) fn start_sending(
        &mut self,
        io: &mut Io<'_>,
    ) -> Result<Option<(SendState, Path)>, FailureReason> {
        let Some(remote) = &self.remote else {
            return Ok(None);
        };
        let Phase::Handshaking {
            dtls,
            complete: true,
            ..
        } = &mut self.phase
        else {
            return Ok(None);
        };
        let Some(path) = self.ice.proven() else {
            self.ice.validate_selected(io.now);
            return Ok(None);
        };
        // From now on to go elsewhere needs a proof, whichever credentials it is asked with.
        if let Some(agent) = &mut self.restarting {
            agent.prove(path);
        }
        let protection = Protection::new(
            &dtls.verify(&remote.fingerprints)?,
            remote.rtp.header_encryption,
        )?;
        let connection = Connection {
            path,
            profile: protection.profile,
            dtls_version: dtls.version(),
            cipher_suite: dtls.cipher_suite(),
            dtls_role: remote.role,
            certificate: dtls.peer_certificate().cloned().unwrap_or_default(),
        };
        let packetizer = self.packetizer(remote)?;
        let (clock_rate, rtx) = (remote.format.clock_rate, self.rtx_packetizer(remote)?);
        let mut options = SendOptions::new(&remote.rtp, clock_rate, rtx);
        options.set_redundancy(remote.redundancy);
        let reporter = Box::new(self.reporter(remote, protection.srtcp, io.now));
        // The state that was just looked at, taken out to be moved on.
        if let Phase::Handshaking { dtls, .. } = mem::replace(&mut self.phase, Phase::Checking) {
            self.phase = Phase::Sending { dtls, reporter };
        }
        let event = PeerEvent::Connected(connection);
        io.events.push((self.config.id, event));
        let state = SendState::new(packetizer, protection.srtp, options);
        Ok(Some((state, path)))
    }

    fn packetizer(&self, remote: &Remote) -> Result<Packetizer, skywave_rtp::Error> {
        let local = &self.config.local;
        let config = PacketizerConfig {
            ssrc: local.ssrc,
            payload_type: remote.rtp.payload_type,
            comfort_noise: remote.rtp.comfort_noise,
            first_sequence_number: local.first_sequence_number,
            timestamp_offset: local.timestamp_offset,
            extensions: remote.rtp.extensions,
        };
        Packetizer::new(config, Arc::clone(&self.config.counters))
    }

    fn rtx_packetizer(&self, remote: &Remote) -> Result<Option<RtxPacketizer>, skywave_rtp::Error> {
        let local = &self.config.local;
        let Some(payload_type) = remote.rtp.rtx else {
            return Ok(None);
        };
        let config = RtxConfig {
            ssrc: local.rtx_ssrc,
            payload_type,
            first_sequence_number: local.first_rtx_sequence_number,
            extensions: remote.rtp.extensions,
        };
        RtxPacketizer::new(config, Arc::clone(&self.config.counters)).map(Some)
    }

    fn reporter(
        &self,
        remote: &Remote,
        (sender, receiver): (SrtcpSender, SrtcpReceiver),
        now: Instant,
    ) -> Reporter {
        let local = &self.config.local;
        let config = ReporterConfig {
            sender,
            receiver,
            ssrc: local.ssrc,
            rtx_ssrc: local.rtx_ssrc,
            cname: local.cname.clone(),
            // One too long to be said is left out: without it, reports are still worth sending.
            mid: remote.mid.clone().filter(|mid| mid.len() <= MAX_SDES_TEXT),
            counters: Arc::clone(&self.config.counters),
            seed: local.seed,
            session_bandwidth: remote.format.session_bandwidth(),
            frame_interval: remote.format.frame_interval,
            circuit_breaker: self.config.limits.circuit_breaker,
            adaptive_redundancy: remote.adaptive_redundancy && remote.rtp.red.is_some(),
            nack: remote.rtp.nack,
            tmmbr: remote.rtp.tmmbr,
            rcvr_rtt: remote.rtp.rcvr_rtt,
            rtcp_rsize: remote.rtp.rtcp_rsize,
        };
        Reporter::new(config, now)
    }
}

/// In octets: the length of an SDES item is one octet (RFC 3550 §6.5).
const MAX_SDES_TEXT: usize = 255;
