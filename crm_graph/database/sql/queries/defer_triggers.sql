-- Defers triggers to the end of the transaction again, as they are by default.
SET CONSTRAINTS ALL DEFERRED;
