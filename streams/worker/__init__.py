"""What runs an agent: Faust, delivery, transactions, processes. The only place with Faust and transactions."""
