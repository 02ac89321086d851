//! A real peer in the test's own process: webrtc-rs 0.17, which shares no protocol code with skywave.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use webrtc::api::APIBuilder;
use webrtc::api::media_engine::MediaEngine;
use webrtc::api::setting_engine::SettingEngine;
use webrtc::interceptor::registry::Registry;
use webrtc::interceptor::report::receiver::ReceiverReport;
use webrtc::peer_connection::RTCPeerConnection;
use webrtc::peer_connection::configuration::RTCConfiguration;
use webrtc::peer_connection::sdp::session_description::RTCSessionDescription;
use webrtc::rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use webrtc::rtp::packet::Packet;
use webrtc::rtp_transceiver::rtp_codec::{
    RTCRtpCodecCapability, RTCRtpCodecParameters, RTPCodecType,
};
use webrtc::rtp_transceiver::rtp_transceiver_direction::RTCRtpTransceiverDirection;
use webrtc::rtp_transceiver::{RTCPFeedback, RTCRtpTransceiverInit};
use webrtc::track::track_remote::TrackRemote;

/// A listener, which reports what it receives.
pub(crate) struct Listener {
    connection: Arc<RTCPeerConnection>,
    packets: mpsc::UnboundedReceiver<Packet>,
}

impl Listener {
    /// A listener that reaches skywave on this machine, by loopback too.
    pub(crate) async fn new() -> Self {
        let mut media = MediaEngine::default();
        media.register_default_codecs().unwrap();
        Self::with(media).await
    }

    /// One that takes redundancy and DTMF beside Opus and may ask for packets again, which its
    /// track then yields twice.
    pub(crate) async fn versatile() -> Self {
        let mut media = MediaEngine::default();
        media.register_default_codecs().unwrap();
        for codec in [
            codec("audio/red", 2, "111/111", 63),
            codec("audio/telephone-event", 1, "0-15", 110),
        ] {
            media.register_codec(codec, RTPCodecType::Audio).unwrap();
        }
        let nack = RTCPFeedback {
            typ: "nack".to_owned(),
            parameter: String::new(),
        };
        media.register_feedback(nack, RTPCodecType::Audio);
        Self::with(media).await
    }

    /// One that takes PCMU and comfort noise only.
    pub(crate) async fn of_g711() -> Self {
        let mut media = MediaEngine::default();
        for (name, payload_type) in [("audio/PCMU", 0), ("audio/CN", 13)] {
            let mut codec = codec(name, 1, "", payload_type);
            codec.capability.clock_rate = 8_000;
            media.register_codec(codec, RTPCodecType::Audio).unwrap();
        }
        Self::with(media).await
    }

    async fn with(media: MediaEngine) -> Self {
        // A peer that never reports is ended after 15 s (RFC 8083 §4.1), which a busy machine takes
        // for many a test.
        let mut interceptors = Registry::new();
        let reports = ReceiverReport::builder().with_interval(REPORT_INTERVAL);
        interceptors.add(Box::new(reports));
        // rustls has no default where other crates of the workspace chose another provider than
        // webrtc-rs; all but the first call change nothing.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut settings = SettingEngine::default();
        settings.set_include_loopback_candidate(true);
        settings.disable_srtp_replay_protection(true);
        let api = APIBuilder::new()
            .with_media_engine(media)
            .with_setting_engine(settings)
            .with_interceptor_registry(interceptors)
            .build();
        let connection = api.new_peer_connection(RTCConfiguration::default()).await;
        let connection = Arc::new(connection.unwrap());
        let (sender, packets) = mpsc::unbounded_channel();
        connection.on_track(Box::new(move |track, _, _| {
            tokio::spawn(forward(track, sender.clone()));
            Box::pin(async {})
        }));
        Self {
            connection,
            packets,
        }
    }

    /// Its offer to receive audio, candidates included.
    pub(crate) async fn offer(&self) -> String {
        let receive = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Recvonly,
            send_encodings: Vec::new(),
        };
        self.connection
            .add_transceiver_from_kind(RTPCodecType::Audio, Some(receive))
            .await
            .unwrap();
        let offer = self.connection.create_offer(None).await.unwrap();
        self.describe(offer).await
    }

    /// Takes the answer to its offer.
    pub(crate) async fn accept_answer(&self, answer: String) {
        let answer = RTCSessionDescription::answer(answer).unwrap();
        self.connection
            .set_remote_description(answer)
            .await
            .unwrap();
    }

    /// Its answer to our offer, candidates included.
    pub(crate) async fn answer(&self, offer: String) -> String {
        let offer = RTCSessionDescription::offer(offer).unwrap();
        self.connection.set_remote_description(offer).await.unwrap();
        let answer = self.connection.create_answer(None).await.unwrap();
        self.describe(answer).await
    }

    async fn describe(&self, description: RTCSessionDescription) -> String {
        let mut gathered = self.connection.gathering_complete_promise().await;
        self.connection
            .set_local_description(description)
            .await
            .unwrap();
        gathered.recv().await;
        self.connection.local_description().await.unwrap().sdp
    }

    /// The next packets.
    pub(crate) async fn packets(&mut self, count: usize) -> Vec<Packet> {
        let mut packets = Vec::new();
        while packets.len() < count {
            let packet = timeout(PATIENCE, self.packets.recv()).await;
            let packet = packet
                .expect("packets keep coming")
                .expect("the track lives");
            packets.push(packet);
        }
        packets
    }

    /// Whatever has arrived and was not taken.
    pub(crate) fn waiting_packets(&mut self) -> Vec<Packet> {
        std::iter::from_fn(|| self.packets.try_recv().ok()).collect()
    }

    /// The next packets up to one that is `wanted`, which comes soon.
    pub(crate) async fn packets_until(&mut self, wanted: impl Fn(&Packet) -> bool) -> Vec<Packet> {
        let mut packets = self.packets(1).await;
        while !wanted(&packets[packets.len() - 1]) {
            assert!(packets.len() < 200, "none of {} is wanted", packets.len());
            packets.extend(self.packets(1).await);
        }
        packets
    }

    /// Asks for the packet of that number and the one after it again.
    pub(crate) async fn ask_again(&self, media_ssrc: u32, sequence_number: u16) {
        let nack = TransportLayerNack {
            sender_ssrc: 1,
            media_ssrc,
            nacks: vec![NackPair {
                packet_id: sequence_number,
                lost_packets: 1,
            }],
        };
        self.connection.write_rtcp(&[Box::new(nack)]).await.unwrap();
    }

    /// Hangs up.
    pub(crate) async fn close(&self) {
        self.connection.close().await.unwrap();
    }
}

fn codec(name: &str, channels: u16, fmtp: &str, payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        capability: RTCRtpCodecCapability {
            mime_type: name.to_owned(),
            clock_rate: 48_000,
            channels,
            sdp_fmtp_line: fmtp.to_owned(),
            rtcp_feedback: Vec::new(),
        },
        payload_type,
        ..RTCRtpCodecParameters::default()
    }
}

async fn forward(track: Arc<TrackRemote>, packets: mpsc::UnboundedSender<Packet>) {
    while let Ok((packet, _)) = track.read_rtp().await {
        if packets.send(packet).is_err() {
            return;
        }
    }
}

/// Nothing that these tests wait for takes longer on any machine that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Often, so that a test need not wait for a report.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
