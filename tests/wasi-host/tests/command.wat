;; A careful program: three times it sleeps 10 ms and writes a dot, then it copies stdin to stdout until its end.
;; Events are hints: only the clock says when a sleep is over, and a failed or empty poll is tried again, at most
;; a thousand times. Exit status: 0, or the errno that it gave up on.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0x300) ".")

  (func $now (result i64)
    (drop (call $time (i32.const 1) (i64.const 0) (i32.const 0x100)))
    (i64.load (i32.const 0x100)))

  (func $put (param $at i32) (param $len i32)
    (local $errno i32)
    (loop $more
      (if (i32.eqz (local.get $len)) (then (return)))
      (i32.store (i32.const 0x200) (local.get $at))
      (i32.store (i32.const 0x204) (local.get $len))
      (local.set $errno (call $write (i32.const 1) (i32.const 0x200) (i32.const 1) (i32.const 0x100)))
      (if (local.get $errno) (then (call $exit (local.get $errno))))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 0x100))))
      (local.set $len (i32.sub (local.get $len) (i32.load (i32.const 0x100))))
      (br $more)))

  (func $sleep (param $ns i64)
    (local $deadline i64) (local $left i64) (local $tries i32)
    (local.set $deadline (i64.add (call $now) (local.get $ns)))
    (loop $again
      (local.set $left (i64.sub (local.get $deadline) (call $now)))
      (if (i64.le_s (local.get $left) (i64.const 0)) (then (return)))
      (local.set $tries (i32.add (local.get $tries) (i32.const 1)))
      (if (i32.gt_u (local.get $tries) (i32.const 1000)) (then (call $exit (i32.const 29))))
      (i64.store (i32.const 0x1000) (i64.const 1))
      (i64.store (i32.const 0x1008) (i64.const 0))
      (i32.store (i32.const 0x1010) (i32.const 1))
      (i64.store (i32.const 0x1018) (local.get $left))
      (drop (call $poll (i32.const 0x1000) (i32.const 0x2000) (i32.const 1) (i32.const 0x100)))
      (br $again)))

  (func (export "_start")
    (local $i i32) (local $errno i32) (local $len i32)
    (loop $dots
      (call $sleep (i64.const 10000000))
      (call $put (i32.const 0x300) (i32.const 1))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $dots (i32.lt_u (local.get $i) (i32.const 3))))
    (loop $copy
      (i32.store (i32.const 0x200) (i32.const 0x4000))
      (i32.store (i32.const 0x204) (i32.const 64))
      (local.set $errno (call $read (i32.const 0) (i32.const 0x200) (i32.const 1) (i32.const 0x100)))
      (if (local.get $errno) (then (call $exit (local.get $errno))))
      (local.set $len (i32.load (i32.const 0x100)))
      (call $put (i32.const 0x4000) (local.get $len))
      (br_if $copy (local.get $len)))))
