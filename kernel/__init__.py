"""What every room stands on: database, transaction, outbox, queue, clock, money, errors, config."""
