package engine

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Inspected is an Engine that tells where it is and what it can reach. Not every engine can.
type Inspected interface {
	// Endpoint is where it answers, such as "unix:///var/run/docker.sock".
	Endpoint() string
	// Storage is the folder of this machine where images and containers lie; empty if it is elsewhere.
	Storage() string
	// Reach says why the registry of an image cannot be asked for it, and nothing if it can. Nothing is downloaded.
	Reach(ctx context.Context, image string) error
}

// ImageStore is an Engine that keeps images. Not every engine does.
type ImageStore interface {
	// Find returns the id of an image by its reference; empty if it is not here.
	Find(ctx context.Context, reference string) (id string, err error)
}

// Clocked is a Running whose machine may have another clock than ours.
type Clocked interface {
	// Clock says how far the clock of its machine is ahead of ours, give or take.
	Clock(ctx context.Context) (ahead, uncertain time.Duration, err error)
}

// Sited is a Running of an Engine over several machines that can tell which of them it is on. Not every engine can.
type Sited interface {
	// Node is the name of its machine; empty if it is not known.
	Node() string
}

// Carrier is an Engine from which images can be brought elsewhere. Not every engine can.
type Carrier interface {
	// Has finds an image by its reference, and by its id if it is known under that here too; false if it is not here.
	Has(ctx context.Context, image Prepared) (id string, ok bool, err error)
	// Save writes an image out, with its layers.
	Save(ctx context.Context, image Prepared) (io.ReadCloser, error)
}

// Archiver is an Engine that writes several images to one archive, and reads that again. Not every engine can.
type Archiver interface {
	// SaveAll writes images out by their ids, each layer once, and without names.
	SaveAll(ctx context.Context, ids []string) (io.ReadCloser, error)
	// LoadAll takes in what SaveAll of another engine wrote.
	LoadAll(ctx context.Context, archive io.Reader) error
}

// Delegating is an Engine whose images another one makes. Not every engine is.
type Delegating interface {
	// Maker makes its images, and has them as they were made.
	Maker() Engine
}

// MakerOf is the engine that makes the images of an engine: itself, unless it is Delegating.
func MakerOf(e Engine) Engine {
	for {
		d, ok := e.(Delegating)
		if !ok {
			return e
		}
		e = d.Maker()
	}
}

// Locked is an Engine that one run at a time can have, from whichever machine it was started. Not every engine can.
type Locked interface {
	// Lock takes it for what is to be done, in words such as "measuring async-101 in profile quick". While another run has
	// it Lock waits, after a call of waiting, until the context is done; where waiting is nil it does not, and the error
	// is a *BusyError. The lock ends with this process at the latest.
	Lock(ctx context.Context, doing string, waiting func(*BusyError)) (unlock func(), err error)
}

// BusyError is that another run has the machine of an engine.
type BusyError struct {
	Doing string    // as Locked.Lock was told; empty where it cannot be told
	Since time.Time // by the clock of that machine
}

func (e *BusyError) Error() string {
	if e.Doing == "" {
		return "another benchbook is using this machine"
	}
	return fmt.Sprintf("another benchbook is using this machine: it has been %s since %s", e.Doing,
		e.Since.Local().Format("15:04:05 on 2 January"))
}
