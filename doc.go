// Package benchbook holds no code: the program is in cmd/benchbook.
package benchbook
