"""How gunicorn serves the sandbox: one process, since keys in use are known to one."""

workers = 1
threads = 8
control_socket_disable = True

# A worker told to quit while it hands over a request waits for a lock that it holds itself
# (gunicorn's handler closes the thread pool). All state is on disk, so it is killed soon.
graceful_timeout = 2
