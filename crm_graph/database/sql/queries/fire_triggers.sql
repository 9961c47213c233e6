-- Runs the deferred triggers of what the transaction has written so far, and from now on each at once.
SET CONSTRAINTS ALL IMMEDIATE;
