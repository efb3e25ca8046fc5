"""How gunicorn serves the sandbox: one process, since keys in use are known to one."""

workers = 1
threads = 8
control_socket_disable = True
