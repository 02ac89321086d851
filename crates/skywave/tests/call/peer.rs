//! A real peer in the test's own process: webrtc-rs 0.17, which shares no protocol code with skywave.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use webrtc::api::APIBuilder;
use webrtc::api::media_engine::MediaEngine;
use webrtc::api::setting_engine::SettingEngine;
use webrtc::peer_connection::RTCPeerConnection;
use webrtc::peer_connection::configuration::RTCConfiguration;
use webrtc::peer_connection::sdp::session_description::RTCSessionDescription;
use webrtc::rtp::packet::Packet;
use webrtc::rtp_transceiver::RTCRtpTransceiverInit;
use webrtc::rtp_transceiver::rtp_codec::RTPCodecType;
use webrtc::rtp_transceiver::rtp_transceiver_direction::RTCRtpTransceiverDirection;
use webrtc::track::track_remote::TrackRemote;

/// A listener.
pub(crate) struct Listener {
    connection: Arc<RTCPeerConnection>,
    packets: mpsc::UnboundedReceiver<Packet>,
}

impl Listener {
    /// A listener that reaches skywave on this machine, by loopback too.
    pub(crate) async fn new() -> Self {
        let mut media = MediaEngine::default();
        media.register_default_codecs().unwrap();
        let mut settings = SettingEngine::default();
        settings.set_include_loopback_candidate(true);
        let api = APIBuilder::new()
            .with_media_engine(media)
            .with_setting_engine(settings)
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

    /// Hangs up.
    pub(crate) async fn close(&self) {
        self.connection.close().await.unwrap();
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
