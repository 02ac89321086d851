//! What a transmitter knows, put into the objects of the W3C.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use skywave_dtls::{CipherSuite, Role};
use skywave_peer::{Connection, FailureReason};
use skywave_rtp::CountersSnapshot;

use super::agreed::Agreed;
use super::transmission_stats::tls_version;
use super::{AudioTransmitter, Signaling};
use crate::stats::{
    CandidatePairStats, CertificateStats, CodecStats, DtlsRole, DtlsState, IceCandidateStats,
    IceRole, IceState, MediaSourceStats, OutboundRtpStats, PeerConnectionStats,
    RemoteInboundRtpStats, Stats, StatsReport, TransportStats,
};
use crate::status::{Status, TransmitterState};

impl AudioTransmitter {
    /// The same as [`transmission_stats`](Self::transmission_stats) and more, in the objects of
    /// the W3C's `RTCPeerConnection.getStats()`.
    pub fn stats_report(&self) -> StatsReport {
        let facts = Facts::of(self);
        let agreed = facts.agreed.map(|agreed| facts.codec(agreed));
        let mut report = vec![
            Stats::PeerConnection(PeerConnectionStats {
                id: "peer-connection".to_owned(),
                timestamp: facts.now,
                data_channels_opened: 0,
                data_channels_closed: 0,
            }),
            Stats::OutboundRtp(facts.outbound_rtp()),
            Stats::MediaSource(facts.media_source()),
            Stats::Transport(facts.transport()),
            Stats::Certificate(facts.local_certificate()),
        ];
        report.extend(agreed.map(Stats::Codec));
        report.extend(facts.remote_inbound_rtp().map(Stats::RemoteInboundRtp));
        if let Some(connection) = &facts.status.connection {
            let pair = facts.candidate_pair(connection);
            report.push(Stats::CandidatePair(pair));
            report.push(Stats::LocalCandidate(facts.local_candidate(connection)));
            report.push(Stats::RemoteCandidate(facts.remote_candidate(connection)));
            let certificate = CertificateStats::new(&connection.certificate, facts.now);
            report.push(Stats::Certificate(certificate));
        }
        StatsReport(report)
    }
}

/// Everything at one moment.
struct Facts<'a> {
    transmitter: &'a AudioTransmitter,
    state: TransmitterState,
    status: Status,
    agreed: Option<&'a Agreed>,
    counters: CountersSnapshot,
    now: f64,
}

impl<'a> Facts<'a> {
    fn of(transmitter: &'a AudioTransmitter) -> Self {
        Self {
            transmitter,
            state: transmitter.state(),
            status: transmitter.status.borrow().clone(),
            agreed: match &transmitter.signaling {
                Signaling::Agreed(agreed) => Some(agreed),
                _ => None,
            },
            counters: transmitter.counters.snapshot(),
            now: milliseconds(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()),
        }
    }

    fn ssrc(&self) -> u32 {
        self.status.ssrc.unwrap_or(self.transmitter.local.ssrc)
    }

    fn codec_id(&self) -> Option<String> {
        self.agreed
            .map(|agreed| format!("codec-{}", agreed.payload_type))
    }

    /// Of the encoder, in bit/s; none where packets come encoded.
    fn bit_rate(&self, agreed: &Agreed) -> Option<f64> {
        let track = &self.transmitter.track.shared;
        let settings = agreed.packetization.settings(track.encoding_options());
        track.inlet.is_none().then(|| settings.bit_rate().into())
    }

    fn codec(&self, agreed: &Agreed) -> CodecStats {
        CodecStats {
            id: self.codec_id().unwrap_or_default(),
            timestamp: self.now,
            payload_type: agreed.payload_type,
            transport_id: TRANSPORT.to_owned(),
            mime_type: agreed.codec.mime_type(),
            clock_rate: agreed.codec.clock_rate(),
            channels: agreed.codec.channels(),
            sdp_fmtp_line: Some(agreed.fmtp.clone()).filter(|fmtp| !fmtp.is_empty()),
        }
    }

    fn outbound_rtp(&self) -> OutboundRtpStats {
        use TransmitterState::{Connected, Disconnected};
        let counters = &self.counters;
        OutboundRtpStats {
            id: OUTBOUND.to_owned(),
            timestamp: self.now,
            ssrc: self.ssrc(),
            kind: AUDIO,
            transport_id: TRANSPORT.to_owned(),
            codec_id: self.codec_id(),
            mid: self.agreed.and_then(|agreed| agreed.mid.clone()),
            media_source_id: SOURCE.to_owned(),
            remote_id: (counters.reports_received > 0).then(|| REMOTE_INBOUND.to_owned()),
            packets_sent: counters.packets_sent,
            bytes_sent: counters.bytes_sent,
            header_bytes_sent: counters.header_bytes_sent,
            retransmitted_packets_sent: counters.retransmitted_packets_sent,
            retransmitted_bytes_sent: counters.retransmitted_bytes_sent,
            rtx_ssrc: self
                .agreed
                .and_then(|agreed| agreed.rtx.then_some(self.transmitter.local.rtx_ssrc)),
            target_bitrate: self.agreed.and_then(|agreed| self.bit_rate(agreed)),
            nack_count: counters.nack_count,
            active: matches!(self.state, Connected | Disconnected),
        }
    }

    fn remote_inbound_rtp(&self) -> Option<RemoteInboundRtpStats> {
        let counters = &self.counters;
        let arrived = counters.last_report?;
        let clock_rate = self.agreed.map_or(0, |agreed| agreed.codec.clock_rate());
        Some(RemoteInboundRtpStats {
            id: REMOTE_INBOUND.to_owned(),
            timestamp: milliseconds(arrived.to_unix()),
            ssrc: self.ssrc(),
            kind: AUDIO,
            transport_id: TRANSPORT.to_owned(),
            codec_id: self.codec_id(),
            local_id: OUTBOUND.to_owned(),
            packets_received: self.packets_received(),
            packets_lost: counters.packets_lost,
            jitter: counters.jitter_seconds(clock_rate),
            fraction_lost: counters.fraction_lost,
            round_trip_time: counters.round_trip_time.map(|time| time.as_secs_f64()),
            total_round_trip_time: counters.total_round_trip_time.as_secs_f64(),
            round_trip_time_measurements: counters.round_trip_time_measurements,
        })
    }

    /// As the W3C has it estimated: from the first sequence number to the highest reported, less
    /// those lost. A second SSRC begins with a number that is not known here.
    fn packets_received(&self) -> Option<u64> {
        if self.status.ssrc.is_some() {
            return None;
        }
        let first = i64::from(self.transmitter.local.first_sequence_number);
        let expected = i64::from(self.counters.highest_sequence) - first + 1;
        u64::try_from(expected - self.counters.packets_lost).ok()
    }

    fn media_source(&self) -> MediaSourceStats {
        let energy = &self.transmitter.track.shared.counters.energy;
        MediaSourceStats {
            id: SOURCE.to_owned(),
            timestamp: self.now,
            track_identifier: self.transmitter.local.track_id.clone(),
            kind: AUDIO,
            audio_level: energy.level(),
            total_audio_energy: energy.total(),
            total_samples_duration: energy.duration(),
        }
    }

    fn transport(&self) -> TransportStats {
        let connection = self.status.connection.as_ref();
        let counters = &self.transmitter.transport;
        TransportStats {
            id: TRANSPORT.to_owned(),
            timestamp: self.now,
            packets_sent: self.sent().0,
            packets_received: counters.packets_received(),
            bytes_sent: self.sent().1,
            bytes_received: counters.bytes_received(),
            ice_role: IceRole::Controlled,
            ice_local_username_fragment: self.local_ufrag(),
            dtls_state: self.dtls_state(),
            ice_state: IceState::from(self.state),
            selected_candidate_pair_id: connection.map(|connection| self.pair_id(connection)),
            local_certificate_id: self.local_certificate().id,
            remote_certificate_id: connection
                .map(|connection| CertificateStats::new(&connection.certificate, self.now).id),
            tls_version: connection
                .and_then(|connection| connection.dtls_version)
                .map(tls_version),
            dtls_cipher: connection
                .and_then(|connection| connection.cipher_suite)
                .and_then(CipherSuite::name),
            dtls_role: match connection.map(|connection| connection.dtls_role) {
                None => DtlsRole::Unknown,
                Some(Role::Client) => DtlsRole::Client,
                Some(Role::Server) => DtlsRole::Server,
            },
            srtp_cipher: connection.map(|connection| connection.profile.name()),
            selected_candidate_pair_changes: self.status.path_changes,
        }
    }

    /// Datagrams and octets sent, as UDP carries them, checks left out.
    fn sent(&self) -> (u64, u64) {
        let (rtp, transport) = (&self.counters, &self.transmitter.transport);
        let profile = self.status.connection.as_ref().map(|with| with.profile);
        let overhead = profile.map_or((0, 0), |profile| {
            (
                profile.rtp_overhead() as u64,
                profile.rtcp_overhead() as u64,
            )
        });
        let packets = rtp.packets_sent + rtp.rtcp_packets_sent + transport.dtls_packets_sent();
        let octets = rtp.header_bytes_sent
            + rtp.bytes_sent
            + rtp.packets_sent * overhead.0
            + rtp.rtcp_bytes_sent
            + rtp.rtcp_packets_sent * overhead.1
            + transport.dtls_bytes_sent();
        (packets, octets)
    }

    fn dtls_state(&self) -> DtlsState {
        use TransmitterState as State;
        let of_dtls = |reason: &FailureReason| {
            matches!(
                reason,
                FailureReason::Handshake(_) | FailureReason::HandshakeTimeout
            )
        };
        match self.state {
            State::Connected | State::Disconnected => DtlsState::Connected,
            State::Failed if self.status.failure.as_ref().is_some_and(of_dtls) => DtlsState::Failed,
            State::Failed | State::Closed => DtlsState::Closed,
            _ if self.transmitter.transport.requests_received() > 0 => DtlsState::Connecting,
            _ => DtlsState::New,
        }
    }

    fn candidate_pair(&self, connection: &Connection) -> CandidatePairStats {
        let counters = &self.transmitter.transport;
        CandidatePairStats {
            id: self.pair_id(connection),
            timestamp: self.now,
            transport_id: TRANSPORT.to_owned(),
            local_candidate_id: self.local_candidate(connection).id,
            remote_candidate_id: self.remote_candidate(connection).id,
            state: "succeeded",
            nominated: true,
            packets_sent: self.sent().0,
            packets_received: counters.packets_received(),
            bytes_sent: self.sent().1,
            bytes_received: counters.bytes_received(),
            last_packet_received_timestamp: counters
                .last_received()
                .map(|time| milliseconds(time.to_unix())),
            available_outgoing_bitrate: self.counters.bandwidth_estimate.map(|bits| bits as f64),
            requests_received: counters.requests_received(),
            requests_sent: counters.requests_sent(),
            responses_received: counters.responses_received(),
            responses_sent: counters.responses_sent(),
            consent_requests_sent: 0,
        }
    }

    fn pair_id(&self, connection: &Connection) -> String {
        let (local, remote) = (self.base(connection), connection.path.remote);
        format!("candidate-pair-{local}-{remote}")
    }

    /// The socket's address that media leaves from.
    fn base(&self, connection: &Connection) -> SocketAddr {
        let bases = &self.transmitter.shard().bases;
        let base = bases.get(usize::from(connection.path.base));
        base.copied().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    fn local_candidate(&self, connection: &Connection) -> IceCandidateStats {
        let base = self.base(connection);
        let candidates = &self.transmitter.shard().candidates;
        let identity = self.transmitter.engine.identity();
        let described = self.transmitter.local.description(identity, candidates);
        let described = described.candidates.into_iter();
        let candidate = described.into_iter().find(|ours| ours.address == base);
        IceCandidateStats {
            priority: candidate.as_ref().map(|candidate| candidate.priority),
            foundation: candidate.map(|candidate| candidate.foundation),
            ..self.candidate("local", base, "host", Some(self.local_ufrag()))
        }
    }

    fn remote_candidate(&self, connection: &Connection) -> IceCandidateStats {
        self.candidate(
            "remote",
            connection.path.remote,
            "prflx",
            self.remote_ufrag(),
        )
    }

    fn local_ufrag(&self) -> String {
        let restarted = self.status.restarted.as_ref();
        let described = self.transmitter.local.credentials.ufrag();
        restarted
            .map_or(described, |restarted| &*restarted.local_ufrag)
            .to_owned()
    }

    fn remote_ufrag(&self) -> Option<String> {
        let restarted = self.status.restarted.as_ref();
        let described = self.agreed.map(|agreed| &*agreed.remote_ufrag);
        let current = restarted.map(|restarted| &*restarted.remote_ufrag);
        current.or(described).map(str::to_owned)
    }

    fn candidate(
        &self,
        end: &str,
        address: SocketAddr,
        candidate_type: &'static str,
        username_fragment: Option<String>,
    ) -> IceCandidateStats {
        IceCandidateStats {
            id: format!("{end}-candidate-{address}"),
            timestamp: self.now,
            transport_id: TRANSPORT.to_owned(),
            address: address.ip().to_canonical(),
            port: address.port(),
            protocol: "udp",
            candidate_type,
            priority: None,
            foundation: None,
            username_fragment,
        }
    }

    fn local_certificate(&self) -> CertificateStats {
        let identity = self.transmitter.engine.identity();
        CertificateStats::new(identity.certificate(), self.now)
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

const AUDIO: &str = "audio";
const OUTBOUND: &str = "outbound-rtp-audio";
const REMOTE_INBOUND: &str = "remote-inbound-rtp-audio";
const SOURCE: &str = "media-source-audio";
const TRANSPORT: &str = "transport";
