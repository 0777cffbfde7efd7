package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/net/dns/dnsmessage"
)

// tableSocket is where a name server takes its table from: it is of its network, and leaves no file.
const tableSocket = "@benchbook-names"

// maxAddresses are as many as an answer of 512 bytes has room for, with the longest name there is.
const maxAddresses = 13

// AnswerNames is a name server until the context is done. Whoever asks learns the names of its own space and nothing
// else, and is answered at once: a name that is not known there does not exist, and nobody else is asked.
func AnswerNames(ctx context.Context, address string) error {
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	tables, err := net.Listen("unix", tableSocket)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	context.AfterFunc(ctx, func() { _ = errors.Join(conn.Close(), tables.Close()) })
	var known atomic.Pointer[Names]
	known.Store(&Names{})
	go func() {
		for {
			from, err := tables.Accept()
			if err != nil {
				return
			}
			var names Names
			if err := json.NewDecoder(from).Decode(&names); err == nil {
				known.Store(&names)
				_, _ = fmt.Fprintln(from, "known") // whoever told it looks for this
			}
			_ = from.Close()
		}
	}()
	room := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(room)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if answer := known.Load().answer(from, room[:n]); answer != nil {
			_, _ = conn.WriteTo(answer, from) // it is asked again
		}
	}
}

// TellNames gives a name server of this network its table, and returns once it knows it.
func TellNames(table io.Reader) error {
	conn, err := net.Dial("unix", tableSocket)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.Copy(conn, table); err != nil {
		return err
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		return err
	}
	said, err := io.ReadAll(conn)
	if err != nil || string(said) != "known\n" {
		return errors.Join(errors.New("the name server did not take its table"), err)
	}
	return nil
}

// answer answers a question; nil leaves it without an answer.
func (n *Names) answer(from net.Addr, packet []byte) []byte {
	var parser dnsmessage.Parser
	header, err := parser.Start(packet)
	if err != nil || header.Response {
		return nil
	}
	question, err := parser.Question()
	if err != nil {
		return nil
	}
	out := dnsmessage.Message{
		Header: dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true,
			RecursionDesired: header.RecursionDesired, RecursionAvailable: true, RCode: dnsmessage.RCodeNameError},
		Questions: []dnsmessage.Question{question},
	}
	name := strings.ToLower(strings.TrimSuffix(question.Name.String(), "."))
	host, _, err := net.SplitHostPort(from.String())
	if err != nil {
		return nil
	}
	addresses, known := n.Spaces[n.Clients[host]][name]
	switch {
	case slices.Contains(n.Tokens, name):
		out.RCode = dnsmessage.RCodeSuccess
	case known:
		out.RCode = dnsmessage.RCodeSuccess
		if question.Type != dnsmessage.TypeA && question.Type != dnsmessage.TypeALL {
			break // the name is there, but has nothing of this type
		}
		// Each of them is first as often as the others.
		addresses = slices.Clone(addresses)
		rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
		for _, address := range addresses[:min(len(addresses), maxAddresses)] {
			if ip := net.ParseIP(address).To4(); ip != nil {
				out.Answers = append(out.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: question.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
					Body:   &dnsmessage.AResource{A: [4]byte(ip)},
				})
			}
		}
	}
	packed, err := out.Pack()
	if err != nil {
		return nil
	}
	return packed
}
