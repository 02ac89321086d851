// A Pion listener: `pion_peer WHEP_URL OCTETS FILE`.
//
// It offers PCMU to the URL and writes what it decodes, 8 kHz, one channel, 16 bits
// little-endian, until the file has that many octets. Then it prints the packets' payload
// type as JSON, deletes its session and ends. `tests/src/recording.rs` is the other end.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	// Version 3: Debian leaves it out of the path.
	"github.com/pion/webrtc"
)

func main() {
	octets, err := strconv.Atoi(os.Args[2])
	check(err)
	file, err := os.Create(os.Args[3])
	check(err)
	connection := newConnection()
	complete := make(chan uint8)
	connection.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		complete <- record(track, file, octets)
	})
	connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed {
			log.Fatal("the connection failed")
		}
	})
	session := call(connection, os.Args[1])
	payloadType := <-complete
	check(file.Close())
	fmt.Printf("{\"payload_type\":%d}\n", payloadType)
	end(session)
	check(connection.Close())
}

func newConnection() *webrtc.PeerConnection {
	media := &webrtc.MediaEngine{}
	capability := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}
	codec := webrtc.RTPCodecParameters{RTPCodecCapability: capability, PayloadType: 0}
	check(media.RegisterCodec(codec, webrtc.RTPCodecTypeAudio))
	connection, err := webrtc.NewAPI(webrtc.WithMediaEngine(media)).
		NewPeerConnection(webrtc.Configuration{})
	check(err)
	return connection
}

// call offers, and returns the URL of the session.
func call(connection *webrtc.PeerConnection, whep string) string {
	direction := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	_, err := connection.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, direction)
	check(err)
	offer, err := connection.CreateOffer(nil)
	check(err)
	gathered := webrtc.GatheringCompletePromise(connection)
	check(connection.SetLocalDescription(offer))
	<-gathered
	body := strings.NewReader(connection.LocalDescription().SDP)
	response, err := http.Post(whep, "application/sdp", body)
	check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	check(err)
	if response.StatusCode != http.StatusCreated {
		log.Fatal(response.Status, string(answer))
	}
	description := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}
	check(connection.SetRemoteDescription(description))
	base, err := url.Parse(whep)
	check(err)
	session, err := base.Parse(response.Header.Get("Location"))
	check(err)
	return session.String()
}

// record returns the payload type of the last packet.
func record(track *webrtc.TrackRemote, file io.Writer, octets int) uint8 {
	for written := 0; ; {
		packet, _, err := track.ReadRTP()
		check(err)
		for _, octet := range packet.Payload {
			check(binary.Write(file, binary.LittleEndian, linear(octet)))
			written += 2
		}
		if written >= octets {
			return packet.PayloadType
		}
	}
}

// linear decodes PCMU (ITU-T G.711, mu-law).
func linear(octet byte) int16 {
	octet = ^octet
	magnitude := (int16(octet&0x0f)<<3+0x84)<<(octet>>4&7) - 0x84
	if octet&0x80 != 0 {
		return -magnitude
	}
	return magnitude
}

func end(session string) {
	request, err := http.NewRequest(http.MethodDelete, session, nil)
	check(err)
	response, err := http.DefaultClient.Do(request)
	check(err)
	check(response.Body.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
