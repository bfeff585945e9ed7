"""What clocks and pizzas are told apart by, as functions of arrays."""
