"""The bus: one port, two implementations (RabbitMQ, in-process), and the effect side both share."""
