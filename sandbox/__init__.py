"""Payment providers to develop and test against: Stripe's HTTP API, as far as Jibei speaks it.

It runs as a process of its own and keeps all its state in one SQLite file. The real `stripe`
library talks to it when its base address is changed; with a real key the same code talks to
Stripe. Of the rest of the project it imports only the clock, so that both age together.

Plain WSGI on purpose: it runs beside everything else on a developer's machine, and a web
framework would add half again to its memory for a few dozen routes.

Beside it, `sandbox.terminal` plays a second provider, for card terminals at the counter.
"""
