// Package http2 is the client's side of HTTP/2, without the network: a Conn takes the bytes that came over a connection
// and has those that are to be sent.
//
// It is made for putting load on servers. Requests are encoded once and sent many times, and answers are read no
// further than whoever asked wants to know. It is strict: whatever a server may not send ends its connection or its
// stream.
//
// Source: RFC 9113, and RFC 7541 for fields.
package http2

import "encoding/binary"

// What frames are.
const (
	frameData = iota
	frameHeaders
	framePriority
	frameReset
	frameSettings
	framePush
	framePing
	frameGoAway
	frameWindowUpdate
	frameContinuation
)

// Flags of frames. One bit means something else in each of them.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// Settings that we send or honour.
const (
	settingTableSize     = 1
	settingPush          = 2
	settingMaxStreams    = 3
	settingWindow        = 4
	settingMaxFrame      = 5
	settingMaxHeaderList = 6
)

// An ErrorCode says why a stream or a connection was ended.
type ErrorCode uint32

// Those that we send.
const (
	protocolError ErrorCode = 1
	cancelled     ErrorCode = 8
)

const (
	preface       = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	headerSize    = 9
	defaultTable  = 4096
	defaultWindow = 65535
	defaultFrame  = 16384
	maxWindow     = 1<<31 - 1
	maxStreamID   = 1<<31 - 1

	// ourWindow is how much a server may send before we have to say that it may send more: so much that it never waits.
	ourWindow = 1 << 30
	// MaxHeader is how many bytes the fields of an answer may have, in the counting of SETTINGS_MAX_HEADER_LIST_SIZE.
	MaxHeader = 64 << 10
	// maxOut is how much of the bodies of requests is put into Out at a time.
	maxOut = 256 << 10
	// maxReplies is how many bytes of replies may wait in Out for a server that does not read them.
	maxReplies = 1 << 20
)

func appendHeader(b []byte, length, kind int, flags byte, stream uint32) []byte {
	b = append(b, byte(length>>16), byte(length>>8), byte(length), byte(kind), flags)
	return binary.BigEndian.AppendUint32(b, stream)
}

// appendNumber writes a frame whose payload is one number of four bytes.
func appendNumber(b []byte, kind int, stream, number uint32) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(b, 4, kind, 0, stream), number)
}

func appendSetting(b []byte, id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, id), value)
}

// appendStart writes what a client begins a connection with.
func appendStart(b []byte) []byte {
	const settings = 3
	b = appendHeader(append(b, preface...), 6*settings, frameSettings, 0, 0)
	b = appendSetting(b, settingPush, 0)
	b = appendSetting(b, settingWindow, ourWindow)
	b = appendSetting(b, settingMaxHeaderList, MaxHeader)
	return appendNumber(b, frameWindowUpdate, 0, ourWindow-defaultWindow)
}
