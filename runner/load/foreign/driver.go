package foreign
type program struct{}
var abProgram, heyProgram, wrkProgram, pgbenchProgram, redisBenchmarkProgram program
